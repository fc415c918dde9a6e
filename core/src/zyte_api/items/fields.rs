//! What each member of one schema is in the other: one table for both directions.

use crate::extraction::PageType;

/// A member's name on each side.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) ours: &'static str,
    pub(super) theirs: &'static str,
}

/// How a member of one schema becomes a member of the other.
pub(super) enum Field {
    /// The value whole, whatever it is.
    Whole(Names),
    /// The value, unless it is null or a container: for members that change their depth.
    Scalar(Names),
    /// A scalar on our side, an object with it as one member on theirs.
    Wrapped(Names, &'static str),
    /// A list of scalars on our side, a list of such objects on theirs.
    WrappedEach(Names, &'static str),
    /// An object on both sides.
    Object(Names, &'static [Field]),
    /// A list of objects on both sides.
    Each(Names, &'static [Field]),
    /// Members of the object itself on our side, of an object inside it on theirs.
    InsideTheirs(&'static str, &'static [Field]),
    /// Members of the first element of a list on our side, of the object itself on theirs.
    FirstOfOurs(&'static str, &'static [Field]),
    /// A member that can be either of two on their side: read from the first that says something,
    /// written to the first.
    Either(&'static str, [&'static str; 2]),
    /// `author` and `authorsList`; `authors`.
    Authors,
    /// `probability`, which we always have; `metadata.probability`, 1 if absent.
    Probability,
    /// `probability`, which we always have, and they never: 1 need not be said.
    OurProbability,
    /// `url`, which we always have: where they leave it out, that of the item around.
    UrlOrItems,
    /// The type of a GTIN: `ean13` is `gtin13`.
    GtinType,
    /// A number on our side, the same number as a string on theirs.
    NumberAsText(Names),
    /// What only our schema has, with the meaning that the member has elsewhere in theirs: read
    /// when it comes all the same, never written.
    OnlyOurs(&'static Field),
}

use Field::{
    Authors, Each, Either, FirstOfOurs, GtinType, InsideTheirs, NumberAsText, Object, OnlyOurs,
    OurProbability, Probability, UrlOrItems, Wrapped, WrappedEach,
};

const fn names(ours: &'static str, theirs: &'static str) -> Names {
    Names { ours, theirs }
}

const fn both(name: &'static str) -> Names {
    names(name, name)
}

const fn same(name: &'static str) -> Field {
    Field::Whole(both(name))
}

const fn renamed(ours: &'static str, theirs: &'static str) -> Field {
    Field::Whole(names(ours, theirs))
}

const fn scalar(ours: &'static str, theirs: &'static str) -> Field {
    Field::Scalar(names(ours, theirs))
}

/// Their name of an item, which is also the member that asks for it and holds it; `None` if Zyte
/// API has none of that page type.
pub(super) const fn their_name(page_type: PageType) -> Option<&'static str> {
    match page_type {
        PageType::Article
        | PageType::ArticleList
        | PageType::JobPosting
        | PageType::Product
        | PageType::ProductList => Some(page_type.as_str()),
        PageType::ForumPosts => Some("forumThread"),
        PageType::Comments | PageType::RealEstate | PageType::Reviews | PageType::Vehicle => None,
    }
}

/// The table of a page type.
pub(super) const fn table(page_type: PageType) -> Option<&'static [Field]> {
    match page_type {
        PageType::Article => Some(ARTICLE),
        PageType::ArticleList => Some(ARTICLE_LIST),
        PageType::ForumPosts => Some(FORUM_POSTS),
        PageType::JobPosting => Some(JOB_POSTING),
        PageType::Product => Some(PRODUCT),
        PageType::ProductList => Some(PRODUCT_LIST),
        PageType::Comments | PageType::RealEstate | PageType::Reviews | PageType::Vehicle => None,
    }
}

const BREADCRUMBS: Field = Each(both("breadcrumbs"), &[same("name"), renamed("link", "url")]);
const MAIN_IMAGE: Field = Wrapped(both("mainImage"), "url");
const IMAGES: Field = WrappedEach(both("images"), "url");
const LINK: &[Field] = &[same("url"), same("text")];
const PAGINATION_PREVIOUS: Field = Object(both("paginationPrevious"), LINK);
const PAGINATION_NEXT: Field = Object(both("paginationNext"), LINK);
/// `probability` as it stands among their metadata.
pub(super) const PROBABILITY: &[Field] = &[scalar("probability", "probability")];
/// Where our schema has no probability either.
const METADATA: Field = InsideTheirs("metadata", &[]);

const ARTICLE: &[Field] = &[
    same("url"),
    same("canonicalUrl"),
    same("headline"),
    same("datePublished"),
    same("datePublishedRaw"),
    same("dateModified"),
    same("dateModifiedRaw"),
    Authors,
    same("inLanguage"),
    BREADCRUMBS,
    MAIN_IMAGE,
    IMAGES,
    same("description"),
    same("articleBody"),
    same("articleBodyHtml"),
    WrappedEach(names("videoUrls", "videos"), "url"),
    WrappedEach(names("audioUrls", "audios"), "url"),
    Probability,
];

const ARTICLE_LIST: &[Field] = &[
    same("url"),
    Each(both("articles"), ARTICLE_ENTRY),
    OnlyOurs(&PAGINATION_NEXT),
    OnlyOurs(&PAGINATION_PREVIOUS),
    METADATA,
];

const ARTICLE_ENTRY: &[Field] = &[
    same("url"),
    same("headline"),
    same("datePublished"),
    same("datePublishedRaw"),
    Authors,
    same("inLanguage"),
    MAIN_IMAGE,
    IMAGES,
    same("articleBody"),
    Probability,
];

const AVAILABILITY: Field = scalar("availability", "availability");

const OFFERS: Field = FirstOfOurs(
    "offers",
    &[
        scalar("price", "price"),
        scalar("regularPrice", "regularPrice"),
        scalar("currency", "currencyRaw"),
        AVAILABILITY,
    ],
);

const GTIN: Field = Each(both("gtin"), &[GtinType, same("value")]);
const BRAND: Field = Wrapped(both("brand"), "name");
const PROPERTIES: Field =
    Each(names("additionalProperty", "additionalProperties"), &[same("name"), same("value")]);
const RATING: Field = Object(
    both("aggregateRating"),
    &[same("ratingValue"), same("bestRating"), same("reviewCount")],
);

const PRODUCT: &[Field] = &[
    same("url"),
    same("canonicalUrl"),
    same("name"),
    OFFERS,
    same("sku"),
    GTIN,
    same("mpn"),
    BRAND,
    BREADCRUMBS,
    MAIN_IMAGE,
    IMAGES,
    same("description"),
    same("descriptionHtml"),
    PROPERTIES,
    RATING,
    same("color"),
    same("size"),
    same("style"),
    Each(names("hasVariants", "variants"), VARIANT),
    Probability,
];

/// A variant is a product on our side, and less than that on theirs.
const VARIANT: &[Field] = &[
    UrlOrItems,
    same("canonicalUrl"),
    same("name"),
    OFFERS,
    same("sku"),
    GTIN,
    same("mpn"),
    OnlyOurs(&BRAND),
    OnlyOurs(&BREADCRUMBS),
    MAIN_IMAGE,
    IMAGES,
    OnlyOurs(&same("description")),
    OnlyOurs(&same("descriptionHtml")),
    PROPERTIES,
    OnlyOurs(&RATING),
    same("color"),
    same("size"),
    same("style"),
    OurProbability,
];

const PRODUCT_LIST: &[Field] = &[
    same("url"),
    Each(both("products"), PRODUCT_ENTRY),
    BREADCRUMBS,
    PAGINATION_NEXT,
    OnlyOurs(&PAGINATION_PREVIOUS),
    METADATA,
];

const PRODUCT_ENTRY: &[Field] = &[
    same("url"),
    same("name"),
    FirstOfOurs(
        "offers",
        &[
            scalar("price", "price"),
            scalar("regularPrice", "regularPrice"),
            scalar("currency", "currencyRaw"),
            OnlyOurs(&AVAILABILITY),
        ],
    ),
    OnlyOurs(&same("sku")),
    OnlyOurs(&BRAND),
    MAIN_IMAGE,
    OnlyOurs(&IMAGES),
    OnlyOurs(&same("description")),
    OnlyOurs(&same("descriptionHtml")),
    OnlyOurs(&RATING),
    Probability,
];

const JOB_POSTING: &[Field] = &[
    same("url"),
    renamed("title", "jobTitle"),
    renamed("datePosted", "datePublished"),
    same("validThrough"),
    same("description"),
    same("descriptionHtml"),
    same("employmentType"),
    Object(both("hiringOrganization"), &[Either("raw", ["name", "nameRaw"])]),
    Object(
        both("baseSalary"),
        &[
            same("raw"),
            NumberAsText(names("value", "valueMax")),
            renamed("currency", "currencyRaw"),
        ],
    ),
    Object(both("jobLocation"), &[same("raw")]),
    Probability,
];

const FORUM_POSTS: &[Field] = &[
    same("url"),
    Object(both("topic"), &[same("name")]),
    Each(
        both("posts"),
        &[
            same("text"),
            same("datePublished"),
            OnlyOurs(&same("datePublishedRaw")),
            InsideTheirs(
                "reactions",
                &[
                    scalar("upvoteCount", "likes"),
                    scalar("downvoteCount", "dislikes"),
                    scalar("replyCount", "replies"),
                ],
            ),
            Probability,
        ],
    ),
    METADATA,
];
