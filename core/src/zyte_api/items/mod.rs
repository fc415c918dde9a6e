//! Items of Automatic Extraction as items of Zyte API, and back, field by field.
//!
//! Programs read items of the older schema; Zyte API gives items of its own. [`from_zyte_api`]
//! turns a new item into an old one, [`to_zyte_api`] an old item into a new one. Both work on JSON
//! text: what merely moves is copied byte by byte, neither decoded nor rounded.
//!
//! Nothing is dropped in silence. What the other schema cannot say, what neither schema knows, and
//! what has the wrong type where it would have to be taken apart, is listed in
//! [`Converted::unmapped`] with its place in the item.
//!
//! ```
//! use silkline::{extraction::PageType, zyte_api::items::from_zyte_api};
//!
//! let item = br#"{"url": "https://example.com/1", "price": "9.90", "currencyRaw": "$",
//!     "brand": {"name": "Acme"}, "productId": "A1", "metadata": {"probability": 0.97}}"#;
//! let product = from_zyte_api(PageType::Product, item)?;
//! assert_eq!(
//!     product.item,
//!     concat!(
//!         r#"{"url":"https://example.com/1","offers":[{"price":"9.90","currency":"$"}],"#,
//!         r#""brand":"Acme","probability":0.97}"#
//!     )
//! );
//! assert_eq!(product.unmapped[0].path, "/productId");
//! assert_eq!(product.unmapped[0].value, r#""A1""#);
//! # Ok::<(), silkline::zyte_api::items::InvalidItem>(())
//! ```
//!
//! # What becomes of each field
//!
//! Fields of one name on both sides are left out here. `comments`, `realEstate`, `reviews` and
//! `vehicle` have no counterpart: [`InvalidItem::NoCounterpart`].
//!
//! | Automatic Extraction | Zyte API |
//! |---|---|
//! | `probability` | `metadata.probability`; absent: `1.0` |
//! | `breadcrumbs[].link` | `breadcrumbs[].url` |
//! | `mainImage`, `images[]` | `mainImage.url`, `images[].url` |
//! | **article**, and entries of **articleList** | |
//! | `author`, `authorsList[]` | `authors[0].nameRaw` (the first that is not empty), `authors[].name` |
//! | `videoUrls[]`, `audioUrls[]` | `videos[].url`, `audios[].url` |
//! | **product**, its variants, and entries of **productList** | |
//! | `offers[0].price`, `.regularPrice`, `.availability` | `price`, `regularPrice`, `availability` |
//! | `offers[0].currency` | `currencyRaw` |
//! | `brand` | `brand.name` |
//! | `gtin[].type` `ean13` | `gtin13` |
//! | `additionalProperty[]`, `hasVariants[]` | `additionalProperties[]`, `variants[]` |
//! | `hasVariants[].url` | `variants[].url`; absent: the product's |
//! | **jobPosting** | |
//! | `title`, `datePosted` | `jobTitle`, `datePublished` |
//! | `hiringOrganization.raw` | `hiringOrganization.name`, if empty `.nameRaw` |
//! | `baseSalary.value` (a number) | `baseSalary.valueMax` (the number as a string) |
//! | `baseSalary.currency` | `baseSalary.currencyRaw` |
//! | **forumPosts** | **forumThread** |
//! | `posts[].upvoteCount`, `.downvoteCount`, `.replyCount` | `posts[].reactions.likes`, `.dislikes`, `.replies` |
//!
//! # What each side cannot say
//!
//! | | only Automatic Extraction | only Zyte API |
//! |---|---|---|
//! | everywhere | | `metadata.*` but the probability |
//! | article | `articleBodyRaw` | `authors[].email`, `.url`; `.nameRaw` after the first |
//! | articleList | `paginationNext`, `paginationPrevious` | `canonicalUrl`, `breadcrumbs`; authors as above |
//! | product | `offers[1..]` | `currency`, `features`, `productId` |
//! | its variants | `brand`, `breadcrumbs`, `description`, `descriptionHtml`, `aggregateRating`, `hasVariants`, a `probability` that is not 1 | `currency`, `productId` |
//! | productList | `paginationPrevious` | `canonicalUrl`, `categoryName`, `pageNumber` |
//! | its entries | `sku`, `brand`, `images`, `description`, `descriptionHtml`, `aggregateRating`, `offers[0].availability`, `offers[1..]` | `currency`, `productId` |
//! | jobPosting | | `jobPostingId`, `datePublishedRaw`, `dateModified`, `dateModifiedRaw`, `validThroughRaw`, `headline`, `requirements`, `jobStartDate`, `jobStartDateRaw`, `remoteStatus`, `hiringOrganization.id` and `.nameRaw` beside a name, `baseSalary.valueMin`, `.rateType`, `.currency` |
//! | forumPosts | `posts[].datePublishedRaw` | `threadId`, `posts[].url`, `.postId`, `.hashtags`, `.mediaUrls`, `.author`, `.reactions.reposts` |
//!
//! A field of the left column that comes in a new item all the same, such as `availability` in an
//! entry of a `productList`, is understood as it is elsewhere in that schema.
//!
//! # Wrong types
//!
//! A value that keeps its depth is passed on whatever it is: `"headline": 5` stays. One that would
//! have to be wrapped, unwrapped or moved to another depth is listed, unless it has the type for
//! it: a scalar other than null, an object, a list. A list or an object that is null stays null
//! under its new name. An element of a list that does not fit is listed and left out. Of members
//! with one name the last counts, and the others are listed.
//!
//! The published converter, `zyte_common_items.ae`, differs: it writes `authorList` for
//! `authorsList`, leaves breadcrumbs without `link`, and lets fields through that the older schema
//! does not have.

mod convert;
mod fields;
mod invalid;
mod members;

use alloc::{string::String, vec::Vec};

pub use invalid::InvalidItem;

use self::convert::{Direction, convert};
use crate::{
    extraction::PageType,
    json::{Cursor, Kind},
};

/// An item in the other schema.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Converted {
    /// The item, as JSON.
    pub item: String,
    /// What of the original has no place in it, in the order of the original.
    pub unmapped: Vec<Unmapped>,
}

/// A part of an item that the other schema has no place for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Unmapped {
    /// Where it stands in the original: a JSON pointer (RFC 6901).
    pub path: String,
    /// The value, as JSON, exactly as it was written.
    pub value: String,
}

/// An item of Zyte API in the schema of Automatic Extraction. `page_type` is the older name:
/// [`PageType::ForumPosts`] reads a `forumThread`.
pub fn from_zyte_api(page_type: PageType, item: &[u8]) -> Result<Converted, InvalidItem> {
    run(Direction::FromTheirs, page_type, item)
}

/// An item of Automatic Extraction in the schema of Zyte API.
pub fn to_zyte_api(page_type: PageType, item: &[u8]) -> Result<Converted, InvalidItem> {
    run(Direction::ToTheirs, page_type, item)
}

/// What Zyte API calls the items of that page type, if it has them: the member of a request that
/// asks for one, and of an answer that holds it.
pub const fn zyte_api_name(page_type: PageType) -> Option<&'static str> {
    fields::their_name(page_type)
}

fn run(direction: Direction, page_type: PageType, item: &[u8]) -> Result<Converted, InvalidItem> {
    let fields = fields::table(page_type).ok_or(InvalidItem::NoCounterpart { page_type })?;
    let mut cursor = Cursor::new(item)?;
    let kind = cursor.kind()?;
    if kind != Kind::Object {
        cursor.skip()?;
        cursor.end()?;
        return Err(InvalidItem::NotObject { kind });
    }
    Ok(convert(direction, fields, cursor)?)
}
