"""The words for what shoppers do: Segment's names, their older spellings, and how a name is found.

Canonical are Segment's e-commerce v2, e-mail, mobile and account names, and a few for what its vocabulary lacks (likes,
follows, shipments, feeds of price and stock). v1 names and the spellings of `ALIASES` become the v2 name. Case, spaces,
underscores and hyphens do not matter: `product_viewed` is `Product Viewed`.
"""

from __future__ import annotations

from collections.abc import Iterable

PRODUCT_VIEWED = "Product Viewed"
PRODUCT_CLICKED = "Product Clicked"
PRODUCT_ADDED = "Product Added"
PRODUCT_REMOVED = "Product Removed"
PRODUCT_LIKED = "Product Liked"
PRODUCT_SHARED = "Product Shared"
PRODUCT_REVIEWED = "Product Reviewed"
PRODUCT_UPDATED = "Product Updated"
INVENTORY_UPDATED = "Inventory Updated"
WISHLIST_ADDED = "Product Added to Wishlist"
WISHLIST_REMOVED = "Product Removed from Wishlist"
WISHLIST_TO_CART = "Wishlist Product Added to Cart"
ORDER_COMPLETED = "Order Completed"
ORDER_UPDATED = "Order Updated"
ORDER_REFUNDED = "Order Refunded"
ORDER_CANCELLED = "Order Cancelled"
ORDER_RETURNED = "Order Returned"
ORDER_SHIPPED = "Order Shipped"
ORDER_DELIVERED = "Order Delivered"
PRODUCTS_SEARCHED = "Products Searched"

# Names that speak of one product, which they must name.
ABOUT_PRODUCT = frozenset(
    (
        PRODUCT_VIEWED,
        PRODUCT_CLICKED,
        PRODUCT_ADDED,
        PRODUCT_REMOVED,
        PRODUCT_LIKED,
        PRODUCT_SHARED,
        PRODUCT_REVIEWED,
        PRODUCT_UPDATED,
        INVENTORY_UPDATED,
        WISHLIST_ADDED,
        WISHLIST_REMOVED,
        WISHLIST_TO_CART,
    )
)
# Names that speak of one order, which they must name.
ABOUT_ORDER = frozenset(
    (ORDER_COMPLETED, ORDER_UPDATED, ORDER_REFUNDED, ORDER_CANCELLED, ORDER_RETURNED, ORDER_SHIPPED, ORDER_DELIVERED)
)
_OTHER_COMMERCE = (
    PRODUCTS_SEARCHED,
    "Product List Viewed",
    "Product List Filtered",
    "Promotion Viewed",
    "Promotion Clicked",
    "Cart Viewed",
    "Cart Shared",
    "Checkout Started",
    "Checkout Step Viewed",
    "Checkout Step Completed",
    "Payment Info Entered",
    "Coupon Entered",
    "Coupon Applied",
    "Coupon Denied",
    "Coupon Removed",
    "Brand Followed",
    "Brand Unfollowed",
)
# Their prices, products and currency are checked; everything else passes as it is.
COMMERCE = ABOUT_PRODUCT | ABOUT_ORDER | frozenset(_OTHER_COMMERCE)
_OTHERS = (
    "Email Delivered",
    "Email Opened",
    "Email Link Clicked",
    "Email Bounced",
    "Email Marked as Spam",
    "Unsubscribed",
    "Push Notification Received",
    "Push Notification Tapped",
    "Push Notification Bounced",
    "Application Installed",
    "Application Opened",
    "Application Updated",
    "Application Foregrounded",
    "Application Backgrounded",
    "Application Crashed",
    "Application Uninstalled",
    "Install Attributed",
    "Deep Link Opened",
    "Session Started",
    "Session Ended",
    "Signed Up",
    "Signed In",
    "Signed Out",
    "Service Contacted",
)
BUILT_IN = tuple(sorted(COMMERCE)) + _OTHERS

ALIASES = {
    # Segment e-commerce v1
    "Viewed Product Category": "Product List Viewed",
    "Viewed Product List": "Product List Viewed",
    "Viewed Product": PRODUCT_VIEWED,
    "Clicked Product": PRODUCT_CLICKED,
    "Added Product": PRODUCT_ADDED,
    "Removed Product": PRODUCT_REMOVED,
    "Added Product to Wishlist": WISHLIST_ADDED,
    "Removed Product from Wishlist": WISHLIST_REMOVED,
    "Searched Products": "Products Searched",
    "Viewed Promotion": "Promotion Viewed",
    "Clicked Promotion": "Promotion Clicked",
    "Viewed Cart": "Cart Viewed",
    "Started Checkout": "Checkout Started",
    "Started Order": "Checkout Started",
    "Viewed Checkout Step": "Checkout Step Viewed",
    "Completed Checkout Step": "Checkout Step Completed",
    "Entered Payment Info": "Payment Info Entered",
    "Completed Order": ORDER_COMPLETED,
    "Updated Order": ORDER_UPDATED,
    "Refunded Order": ORDER_REFUNDED,
    "Cancelled Order": ORDER_CANCELLED,
    # how others say it
    "Order Paid": ORDER_COMPLETED,
    "Order Canceled": ORDER_CANCELLED,
    "Product Searched": "Products Searched",
    "Product Favorited": WISHLIST_ADDED,
    "Product Favourited": WISHLIST_ADDED,
    "Product Wishlisted": WISHLIST_ADDED,
    "Product Unfavorited": WISHLIST_REMOVED,
    "Product Unfavourited": WISHLIST_REMOVED,
    "Review Submitted": PRODUCT_REVIEWED,
    "Review": PRODUCT_REVIEWED,
    "Share": PRODUCT_SHARED,
    "Like": PRODUCT_LIKED,
    "Follow": "Brand Followed",
    "Unfollow": "Brand Unfollowed",
    "Stock Updated": INVENTORY_UPDATED,
    "Price Updated": PRODUCT_UPDATED,
    "Email Unsubscribed": "Unsubscribed",
}

_FOLDING = str.maketrans("", "", " _-\t")


def fold(name: str) -> str:
    """What two spellings of one name share."""
    return name.translate(_FOLDING).casefold()


class Vocabulary:
    """The names a shop knows: built in, aliases, and its own."""

    def __init__(self, custom_events: Iterable[str] = ()) -> None:
        self._known = {name: name for name in BUILT_IN} | ALIASES
        self._folded = {fold(name): canonical for name, canonical in self._known.items()}
        for name in custom_events:
            self._folded.setdefault(fold(name), name)

    def canonical(self, name: str) -> str:
        """The canonical name, "" for an unknown one."""
        return self._known.get(name) or self._folded.get(fold(name), "")

    def nearest(self, name: str) -> str:
        """The known name a misspelt one probably means, "" when none is near."""
        from difflib import get_close_matches  # costs more to load than most calls take, and most calls need it not

        near = get_close_matches(fold(name[:100]), self._folded, n=1, cutoff=0.75)
        return self._folded[near[0]] if near else ""


FEEDS = frozenset((PRODUCT_UPDATED, INVENTORY_UPDATED))
"""What the shop's own systems say of the catalogue; nothing a shopper does."""
