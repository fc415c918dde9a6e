// The items, as the service's documentation names their fields. Everything is optional but what the
// service always gives; what is not named here comes through unchanged.

/** A field that the documentation does not name. */
interface Open {
  readonly [field: string]: unknown;
}

/** A step of the way from the site's start to the page. */
export interface Breadcrumb extends Open {
  readonly name?: string;
  readonly link?: string;
}

/** What a product is sold for; prices are strings with a decimal point. */
export interface Offer extends Open {
  /** A number with a decimal point, such as `"9.90"`. */
  readonly price?: string;
  readonly regularPrice?: string;
  readonly currency?: string;
  readonly availability?: 'InStock' | 'OutOfStock' | (string & {});
}

/** What all ratings together come to. */
export interface Rating extends Open {
  readonly ratingValue?: number;
  readonly bestRating?: number;
  readonly reviewCount?: number;
}

/** A property that has no field of its own. */
export interface AdditionalProperty extends Open {
  readonly name: string;
  readonly value?: string;
}

/** A product's number in one of the trade's systems. */
export interface Gtin extends Open {
  readonly type: string;
  readonly value: string;
}

/** A link to another page of the list. */
export interface PaginationLink extends Open {
  readonly url?: string;
  readonly text?: string;
}

/** A value as the page shows it. */
export interface Raw extends Open {
  readonly raw?: string;
}

interface Dated extends Open {
  /** A moment as ISO 8601 writes it. */
  readonly datePublished?: string;
  readonly datePublishedRaw?: string;
}

interface Posted extends Dated {
  readonly probability: number;
  readonly text?: string;
  readonly upvoteCount?: number;
  readonly downvoteCount?: number;
}

/** An article as a list of articles shows it. */
export interface ArticleEntry extends Dated {
  readonly url?: string;
  readonly probability: number;
  readonly headline?: string;
  readonly author?: string;
  readonly authorsList?: readonly string[];
  readonly inLanguage?: string;
  readonly mainImage?: string;
  readonly images?: readonly string[];
  readonly articleBody?: string;
}

/** The item of page type `article`. */
export interface Article extends ArticleEntry {
  readonly url: string;
  readonly dateModified?: string;
  readonly dateModifiedRaw?: string;
  readonly breadcrumbs?: readonly Breadcrumb[];
  readonly description?: string;
  readonly articleBodyHtml?: string;
  readonly articleBodyRaw?: string;
  readonly videoUrls?: readonly string[];
  readonly audioUrls?: readonly string[];
  readonly canonicalUrl?: string;
}

/** The item of page type `articleList`. */
export interface ArticleList extends Open {
  readonly url: string;
  readonly articles?: readonly ArticleEntry[];
  readonly paginationNext?: PaginationLink;
  readonly paginationPrevious?: PaginationLink;
}

/** The item of page type `comments`. */
export interface Comments extends Open {
  readonly url: string;
  readonly comments?: readonly Posted[];
}

/** A post of a forum. */
export interface ForumPost extends Posted {
  readonly replyCount?: number;
}

/** The item of page type `forumPosts`. */
export interface ForumPosts extends Open {
  readonly url: string;
  readonly topic?: { readonly name?: string } & Open;
  readonly posts?: readonly ForumPost[];
}

/** The item of page type `jobPosting`. */
export interface JobPosting extends Open {
  readonly url: string;
  readonly probability: number;
  readonly title?: string;
  readonly datePosted?: string;
  readonly validThrough?: string;
  readonly description?: string;
  readonly descriptionHtml?: string;
  readonly employmentType?: string;
  readonly hiringOrganization?: Raw;
  readonly baseSalary?: {
    readonly raw: string;
    readonly value?: number;
    readonly currency?: string;
  } & Open;
  readonly jobLocation?: Raw;
}

/** A product as a list of products shows it. */
export interface ProductEntry extends Open {
  readonly url?: string;
  readonly probability: number;
  readonly name?: string;
  readonly offers?: readonly Offer[];
  readonly sku?: string;
  readonly brand?: string;
  readonly mainImage?: string;
  readonly images?: readonly string[];
  readonly description?: string;
  readonly descriptionHtml?: string;
  readonly aggregateRating?: Rating;
}

/** The item of page type `product`. */
export interface Product extends ProductEntry {
  readonly url: string;
  readonly canonicalUrl?: string;
  readonly gtin?: readonly Gtin[];
  readonly mpn?: string;
  readonly breadcrumbs?: readonly Breadcrumb[];
  readonly additionalProperty?: readonly AdditionalProperty[];
  readonly color?: string;
  readonly size?: string;
  readonly style?: string;
  readonly hasVariants?: readonly Open[];
}

/** The item of page type `productList`. */
export interface ProductList extends Open {
  readonly url: string;
  readonly products?: readonly ProductEntry[];
  readonly breadcrumbs?: readonly Breadcrumb[];
  readonly paginationNext?: PaginationLink;
  readonly paginationPrevious?: PaginationLink;
}

/** The item of page type `realEstate`. */
export interface RealEstate extends Dated {
  readonly url: string;
  readonly probability: number;
  readonly name?: string;
  readonly description?: string;
  readonly mainImage?: string;
  readonly images?: readonly string[];
  readonly yearBuilt?: number;
  readonly breadcrumbs?: readonly Breadcrumb[];
  readonly additionalProperty?: readonly AdditionalProperty[];
  readonly address?: {
    readonly postalCode?: string;
    readonly streetAddress?: string;
    readonly addressCountry?: string;
    readonly addressLocality?: string;
    readonly addressRegion?: string;
    readonly raw?: string;
  } & Open;
  readonly area?: {
    readonly value?: number;
    readonly unitCode?: string;
    readonly raw?: string;
  } & Open;
  readonly numberOfBathroomsTotal?: number;
  readonly numberOfFullBathrooms?: number;
  readonly numberOfPartialBathrooms?: number;
  readonly numberOfBedrooms?: number;
  readonly numberOfRooms?: number;
  readonly identifier?: string;
  readonly tradeActions?: readonly ({
    readonly tradeType?: string;
    readonly price?: string;
    readonly currency?: string;
  } & Open)[];
}

/** A review and the rating in it. */
export interface Review extends Dated {
  readonly probability: number;
  readonly name?: string;
  readonly reviewBody?: string;
  readonly reviewRating?: Rating;
  readonly votedHelpful?: number;
  readonly votedUnhelpful?: number;
  readonly isVerified?: boolean;
}

/** The item of page type `reviews`. */
export interface Reviews extends Open {
  readonly url: string;
  readonly reviews?: readonly Review[];
  readonly paginationNext?: PaginationLink;
  readonly paginationPrevious?: PaginationLink;
}

/** The item of page type `vehicle`. */
export interface Vehicle extends Open {
  readonly url: string;
  readonly probability: number;
  readonly canonicalUrl?: string;
  readonly name?: string;
  readonly offers?: readonly Offer[];
  readonly sku?: string;
  readonly mpn?: string;
  readonly brand?: string;
  readonly breadcrumbs?: readonly Breadcrumb[];
  readonly mainImage?: string;
  readonly images?: readonly string[];
  readonly description?: string;
  readonly descriptionHtml?: string;
  readonly additionalProperty?: readonly AdditionalProperty[];
  readonly aggregateRating?: Rating;
  readonly vehicleIdentificationNumber?: string;
  readonly mileageFromOdometer?: { readonly value?: number; readonly unitCode?: string } & Open;
  readonly vehicleTransmission?: string;
  readonly fuelType?: string;
  readonly vehicleEngine?: Raw;
  readonly color?: string;
  readonly vehicleInteriorColor?: string;
  readonly availableAtOrFrom?: Raw;
  readonly numberOfDoors?: number;
  readonly vehicleSeatingCapacity?: number;
  readonly fuelEfficiency?: readonly Raw[];
}

/** The item of each page type, under the name of the page type. */
export interface Items {
  readonly article: Article;
  readonly articleList: ArticleList;
  readonly comments: Comments;
  readonly forumPosts: ForumPosts;
  readonly jobPosting: JobPosting;
  readonly product: Product;
  readonly productList: ProductList;
  readonly realEstate: RealEstate;
  readonly reviews: Reviews;
  readonly vehicle: Vehicle;
}
