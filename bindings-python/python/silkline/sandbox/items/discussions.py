"""What people say: comments, forum threads, reviews."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from silkline.sandbox.items.context import Context
from silkline.sandbox.items.structured import Node, plain
from silkline.sandbox.items.values import compact, rating, whole

COMMENTS = frozenset({"Answer", "Comment", "CorrectionComment", "UserComments"})
TOPICS = frozenset({"DiscussionForumPosting", "Question", "SocialMediaPosting"})
REPLIES = ("acceptedAnswer", "suggestedAnswer", "comment", "comments", "hasPart")
REVIEWS = frozenset({"ClaimReview", "CriticReview", "EmployerReview", "Review", "UserReview"})
LIKES = frozenset({"LikeAction", "VoteAction", "AgreeAction", "UserLikes"})
DISLIKES = frozenset({"DisagreeAction", "DislikeAction", "UserDislikes"})
MAX_POSTS = 5000


def comments(context: Context) -> dict[str, Any]:
    """The comments on a page."""
    found = [said for node in context.graph.of_type(COMMENTS) if (said := post(context, node))]
    return compact(url=context.url, comments=found[:MAX_POSTS])


def forum_posts(context: Context) -> dict[str, Any]:
    """The posts of a thread, in the order in which they answer each other."""
    topics = context.graph.of_type(TOPICS)
    topic = max(topics, key=lambda node: len(node.properties), default=None)
    nodes: list[Node] = []
    if topic is not None and topic.is_a(("Question",)):
        nodes = list(thread(topic, set()))
    elif topic is not None:
        seen: set[Node] = set()
        nodes = [node for one in topics for node in thread(one, seen)]
    if len(nodes) < 2:
        nodes += [node for node in context.graph.of_type(COMMENTS) if node not in nodes]
    posts = [said for node in nodes if (said := forum_post(context, node))]
    name = topic.text("headline", "name") if topic else None
    return compact(
        url=context.url,
        topic=compact(name=name or context.page.heading),
        posts=posts[:MAX_POSTS],
    )


def thread(node: Node, seen: set[Node]) -> Iterator[Node]:
    """A post and all the answers to it."""
    stack = [node]
    while stack:
        one = stack.pop()
        if one in seen:
            continue
        seen.add(one)
        yield one
        replies = [reply for name in REPLIES for reply in one.nodes(name)]
        stack += [reply for reply in reversed(replies) if reply.is_a(COMMENTS | TOPICS)]


def post(context: Context, node: Node) -> dict[str, Any]:
    """A comment; nothing if it has no words."""
    text = node.raw("text", "commentText", "articleBody", "description", "reviewBody")
    if not text or not plain(text):
        return {}
    return compact(
        probability=0.95,
        text=plain(text),
        **context.dates.of(node, "datePublished", "datePublished", "dateCreated", "commentTime"),
        upvoteCount=votes(node, "upvoteCount", LIKES),
        downvoteCount=votes(node, "downvoteCount", DISLIKES),
    )


def forum_post(context: Context, node: Node) -> dict[str, Any]:
    """A post of a thread, with how many answers it got."""
    fields = post(context, node)
    if not fields and node.is_a(TOPICS) and (name := node.text("name", "headline")):
        fields = {"probability": 0.7, "text": name}
    if not fields:
        return {}
    replies = next(
        (
            count
            for name in ("commentCount", "answerCount", "replyCount")
            if (count := whole(next(iter(node.values(name)), None))) is not None
        ),
        None,
    )
    if replies is None:
        replies = votes(
            node, "replyCount", frozenset({"CommentAction", "ReplyAction", "UserComments"})
        )
    if replies is None:
        replies = sum(len(node.nodes(name)) for name in REPLIES) or None
    return compact(**fields, replyCount=replies)


def votes(node: Node, name: str, kinds: frozenset[str]) -> int | None:
    """How many voted so."""
    count = whole(next(iter(node.values(name)), None))
    if count is not None:
        return count
    for counter in node.nodes("interactionStatistic", "interactionCount"):
        kind = counter.text("interactionType") or ""
        types = {kind.rsplit("/", 1)[-1]}
        for action in counter.nodes("interactionType"):
            types.update(action.types)
        if types & kinds:
            return whole(next(iter(counter.values("userInteractionCount")), None))
    return None


def reviews(context: Context) -> dict[str, Any]:
    """The reviews on a page."""
    found = [said for node in context.graph.of_type(REVIEWS) if (said := review(context, node))]
    return compact(url=context.url, reviews=found[:MAX_POSTS], **context.pagination)


def review(context: Context, node: Node) -> dict[str, Any]:
    """A review; nothing if it neither says nor rates anything."""
    text = node.raw("reviewBody", "description", "text")
    rates = next((fields for one in node.nodes("reviewRating") if (fields := rating(one))), None)
    if rates is None:
        value = whole_rating(node)
        rates = {"ratingValue": value} if value is not None else None
    fields = compact(
        name=node.text("name", "headline"),
        reviewBody=plain(text) if text else None,
        reviewRating=rates,
        **context.dates.of(node, "datePublished", "datePublished", "dateCreated"),
        votedHelpful=votes(node, "upvoteCount", LIKES),
        votedUnhelpful=votes(node, "downvoteCount", DISLIKES),
        isVerified=verified(node),
    )
    if not fields.keys() & {"name", "reviewBody", "reviewRating"}:
        return {}
    return {"probability": 0.95 if "reviewBody" in fields else 0.7, **fields}


def whole_rating(node: Node) -> float | None:
    """A rating that is given as a bare number."""
    for value in node.values("reviewRating"):
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    return None


def verified(node: Node) -> bool | None:
    """Whether the reviewer is known to have bought the thing."""
    for value in node.values("isVerified", "verifiedPurchase", "verified"):
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return value.strip().lower() in ("true", "yes", "1")
    return None
