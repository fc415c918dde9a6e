//! What kind of page a query expects.

use core::{fmt, str::FromStr};

use super::InvalidQuery;

/// The type of extraction to perform (Automatic Extraction API docs, Requests).
///
/// The name is also the member of a result that holds the item.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum PageType {
    /// `article`
    Article,
    /// `articleList`
    ArticleList,
    /// `comments`
    Comments,
    /// `forumPosts`
    ForumPosts,
    /// `jobPosting`
    JobPosting,
    /// `product`
    Product,
    /// `productList`
    ProductList,
    /// `realEstate`
    RealEstate,
    /// `reviews`
    Reviews,
    /// `vehicle`
    Vehicle,
}

impl PageType {
    /// All page types, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Article,
        Self::ArticleList,
        Self::Comments,
        Self::ForumPosts,
        Self::JobPosting,
        Self::Product,
        Self::ProductList,
        Self::RealEstate,
        Self::Reviews,
        Self::Vehicle,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::ArticleList => "articleList",
            Self::Comments => "comments",
            Self::ForumPosts => "forumPosts",
            Self::JobPosting => "jobPosting",
            Self::Product => "product",
            Self::ProductList => "productList",
            Self::RealEstate => "realEstate",
            Self::Reviews => "reviews",
            Self::Vehicle => "vehicle",
        }
    }

    /// The page type of that name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

impl FromStr for PageType {
    type Err = InvalidQuery;

    fn from_str(name: &str) -> Result<Self, InvalidQuery> {
        Self::from_name(name).ok_or_else(|| InvalidQuery::PageType { page_type: name.into() })
    }
}

impl fmt::Display for PageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for page_type in PageType::ALL {
            assert_eq!(page_type.as_str().parse(), Ok(page_type));
        }
        for name in ["", "Article", "article ", "articlelist"] {
            assert_eq!(name.parse::<PageType>().unwrap_err().code(), "query_page_type");
        }
    }
}
