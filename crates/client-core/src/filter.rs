//! Which publications of a channel a subscriber wants, by their tags.

use spanwire_wire::message::FilterNode;

/// Which publications of a channel are wanted, by the tags that their publishers gave them (`SubscribeRequest.tf`): for
/// namespaces with `allow_tags_filter`.
///
/// ```
/// use spanwire_client_core::Filter;
///
/// let wanted = Filter::any_of("ticker", ["ACME", "INIT"]).and(Filter::at_least("price", "99.50"));
/// ```
///
/// A tag that is not there fits [`is_not`](Self::is_not), [`none_of`](Self::none_of) and [`absent`](Self::absent) only.
/// How large a filter may be is the server's to say; it refuses a subscribe with one that is too large by 107.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(FilterNode);

impl Filter {
    /// The tag has this value.
    pub fn is(tag: impl Into<String>, value: impl Into<String>) -> Self {
        Self::compare("eq", tag, value)
    }

    /// The tag has another value, or is not there.
    pub fn is_not(tag: impl Into<String>, value: impl Into<String>) -> Self {
        Self::compare("neq", tag, value)
    }

    /// The tag has one of these values.
    pub fn any_of<V: Into<String>>(tag: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self::list("in", tag, values)
    }

    /// The tag has none of these values, or is not there.
    pub fn none_of<V: Into<String>>(tag: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self::list("nin", tag, values)
    }

    /// The tag is there, whatever its value.
    pub fn present(tag: impl Into<String>) -> Self {
        Self::compare("ex", tag, "")
    }

    /// The tag is not there.
    pub fn absent(tag: impl Into<String>) -> Self {
        Self::compare("nex", tag, "")
    }

    /// The tag begins with this.
    pub fn starts_with(tag: impl Into<String>, start: impl Into<String>) -> Self {
        Self::compare("sw", tag, start)
    }

    /// The tag ends with this.
    pub fn ends_with(tag: impl Into<String>, end: impl Into<String>) -> Self {
        Self::compare("ew", tag, end)
    }

    /// The tag contains this.
    pub fn contains(tag: impl Into<String>, part: impl Into<String>) -> Self {
        Self::compare("ct", tag, part)
    }

    /// The tag is a decimal number below this one.
    pub fn below(tag: impl Into<String>, number: impl Into<String>) -> Self {
        Self::compare("lt", tag, number)
    }

    /// The tag is a decimal number, at most this one.
    pub fn at_most(tag: impl Into<String>, number: impl Into<String>) -> Self {
        Self::compare("lte", tag, number)
    }

    /// The tag is a decimal number above this one.
    pub fn above(tag: impl Into<String>, number: impl Into<String>) -> Self {
        Self::compare("gt", tag, number)
    }

    /// The tag is a decimal number, at least this one.
    pub fn at_least(tag: impl Into<String>, number: impl Into<String>) -> Self {
        Self::compare("gte", tag, number)
    }

    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        self.combine("and", other)
    }

    /// One of them holds, or both.
    pub fn or(self, other: Self) -> Self {
        self.combine("or", other)
    }

    /// The opposite.
    #[expect(
        clippy::should_implement_trait,
        reason = "it stands beside `and` and `or`, and reads as they do"
    )]
    pub fn not(self) -> Self {
        Self(FilterNode { op: "not".to_owned(), nodes: vec![self.0], ..FilterNode::default() })
    }

    pub(crate) fn node(&self) -> FilterNode {
        self.0.clone()
    }

    fn compare(cmp: &str, tag: impl Into<String>, value: impl Into<String>) -> Self {
        let node =
            FilterNode { cmp: cmp.to_owned(), key: tag.into(), val: value.into(), ..FilterNode::default() };
        Self(node)
    }

    fn list<V: Into<String>>(cmp: &str, tag: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        let vals = values.into_iter().map(Into::into).collect();
        Self(FilterNode { cmp: cmp.to_owned(), key: tag.into(), vals, ..FilterNode::default() })
    }

    /// A chain of the same words is one node, so that it nests no deeper than it must.
    fn combine(self, op: &str, other: Self) -> Self {
        let Self(mut node) = self;
        if node.op != op {
            node = FilterNode { op: op.to_owned(), nodes: vec![node], ..FilterNode::default() };
        }
        node.nodes.push(other.0);
        Self(node)
    }
}
