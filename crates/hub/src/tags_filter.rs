//! Filters by tags: which publications of a channel one subscriber wants.
//!
//! What a client sends (`SubscribeRequest.tf`) is checked and turned into a tree once. From then on every publication is
//! held against it, so nothing in here allocates or can fail.

mod decimal;

use std::collections::BTreeMap;

use spanwire_wire::message::FilterNode;

use self::decimal::Decimal;

/// What one filter may cost. It is kept for as long as its subscription, and held against every publication of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterLimits {
    /// Most nodes: comparisons, and combinations of them.
    pub nodes_max: usize,
    /// Most levels of combinations, one in the other.
    pub depth_max: usize,
    /// Most bytes of keys and values, each with [`TEXT_BYTES`](Self::TEXT_BYTES) of overhead.
    pub bytes_max: usize,
}

impl FilterLimits {
    /// What each key and value counts besides its own bytes.
    pub const TEXT_BYTES: usize = 16;
}

impl Default for FilterLimits {
    fn default() -> Self {
        Self { nodes_max: 64, depth_max: 8, bytes_max: 4096 }
    }
}

/// The tags that a publication carries.
pub(crate) type Tags = BTreeMap<String, String>;

/// A filter that has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagsFilter(Node);

/// Not a filter, or one that costs too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFilter;

/// A part of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// All of them hold (`and`).
    All(Box<[Node]>),
    /// At least one of them holds (`or`).
    Any(Box<[Node]>),
    /// It does not hold (`not`).
    Not(Box<Node>),
    /// A tag is there (`ex`).
    Exists(Box<str>),
    /// A tag is not there (`nex`).
    Missing(Box<str>),
    /// A tag is one of these (`eq`, `in`).
    Among(Box<str>, Box<[Box<str>]>),
    /// A tag is none of these, or not there (`neq`, `nin`).
    NotAmong(Box<str>, Box<[Box<str>]>),
    /// A tag has this at some place (`sw`, `ew`, `ct`).
    Has(Box<str>, Place, Box<str>),
    /// A tag is a number and stands to another as it should (`lt`, `lte`, `gt`, `gte`).
    Number(Box<str>, Order, Box<str>),
}

/// Where in a text something is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    End,
    Anywhere,
}

/// How one number stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl TagsFilter {
    /// Checks what a client has sent.
    ///
    /// # Errors
    /// It is not a filter by the protocol's rules (section "tags filter"), or costs more than the limits allow.
    pub fn new(sent: &FilterNode, limits: &FilterLimits) -> Result<Self, NoFilter> {
        Budget { nodes: limits.nodes_max, bytes: limits.bytes_max }.node(sent, limits.depth_max).map(Self)
    }

    /// Whether a publication with these tags is wanted.
    pub fn passes(&self, tags: &BTreeMap<String, String>) -> bool {
        self.0.holds(tags)
    }
}

impl Node {
    fn holds(&self, tags: &Tags) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(tags)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(tags)),
            Self::Not(node) => !node.holds(tags),
            Self::Exists(key) => tags.contains_key(&**key),
            Self::Missing(key) => !tags.contains_key(&**key),
            Self::Among(key, values) => tags.get(&**key).is_some_and(|tag| is_among(tag, values)),
            Self::NotAmong(key, values) => tags.get(&**key).is_none_or(|tag| !is_among(tag, values)),
            Self::Has(key, place, value) => tags.get(&**key).is_some_and(|tag| place.has(tag, value)),
            Self::Number(key, order, value) => tags.get(&**key).is_some_and(|tag| order.holds(tag, value)),
        }
    }
}

fn is_among(tag: &str, values: &[Box<str>]) -> bool {
    values.iter().any(|value| **value == *tag)
}

impl Place {
    fn has(self, tag: &str, value: &str) -> bool {
        match self {
            Self::Start => tag.starts_with(value),
            Self::End => tag.ends_with(value),
            Self::Anywhere => tag.contains(value),
        }
    }
}

impl Order {
    /// What is not a number stands to no number in any way.
    fn holds(self, tag: &str, value: &str) -> bool {
        let (Some(tag), Some(value)) = (Decimal::read(tag), Decimal::read(value)) else { return false };
        let ordering = tag.cmp(&value);
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// What a filter may still cost while it is read.
struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Budget {
    fn node(&mut self, sent: &FilterNode, depth: usize) -> Result<Node, NoFilter> {
        self.nodes = self.nodes.checked_sub(1).ok_or(NoFilter)?;
        let within = || depth.checked_sub(1).ok_or(NoFilter);
        let FilterNode { op, key, cmp, val, vals, nodes } = sent;
        // A node says one thing: what would be passed over in silence is refused.
        let compares = [key, cmp, val].into_iter().any(|text| !text.is_empty()) || !vals.is_empty();
        match (op.as_str(), &nodes[..]) {
            ("", []) => self.comparison(sent),
            _ if compares => Err(NoFilter),
            ("and", [_, ..]) => Ok(Node::All(self.nodes(nodes, within()?)?)),
            ("or", [_, ..]) => Ok(Node::Any(self.nodes(nodes, within()?)?)),
            ("not", [node]) => Ok(Node::Not(Box::new(self.node(node, within()?)?))),
            _ => Err(NoFilter),
        }
    }

    fn nodes(&mut self, sent: &[FilterNode], depth: usize) -> Result<Box<[Node]>, NoFilter> {
        sent.iter().map(|node| self.node(node, depth)).collect()
    }

    fn comparison(&mut self, sent: &FilterNode) -> Result<Node, NoFilter> {
        let FilterNode { key, cmp, val, vals, .. } = sent;
        let has = (!key.is_empty(), !val.is_empty(), !vals.is_empty());
        let node = match (cmp.as_str(), has) {
            ("ex", (_, false, false)) => Node::Exists(self.text(key)?),
            ("nex", (_, false, false)) => Node::Missing(self.text(key)?),
            ("in", (true, false, true)) => Node::Among(self.text(key)?, self.texts(vals)?),
            ("nin", (true, false, true)) => Node::NotAmong(self.text(key)?, self.texts(vals)?),
            ("eq", (true, true, false)) => Node::Among(self.text(key)?, self.texts([val])?),
            ("neq", (true, true, false)) => Node::NotAmong(self.text(key)?, self.texts([val])?),
            (cmp, (true, true, false)) => {
                let (key, value) = (self.text(key)?, self.text(val)?);
                match cmp {
                    "sw" => Node::Has(key, Place::Start, value),
                    "ew" => Node::Has(key, Place::End, value),
                    "ct" => Node::Has(key, Place::Anywhere, value),
                    "lt" => Node::Number(key, Order::Less, value),
                    "lte" => Node::Number(key, Order::AtMost, value),
                    "gt" => Node::Number(key, Order::More, value),
                    "gte" => Node::Number(key, Order::AtLeast, value),
                    _ => return Err(NoFilter),
                }
            }
            _ => return Err(NoFilter),
        };
        Ok(node)
    }

    fn texts<'a>(&mut self, sent: impl IntoIterator<Item = &'a String>) -> Result<Box<[Box<str>]>, NoFilter> {
        sent.into_iter().map(|text| self.text(text)).collect()
    }

    fn text(&mut self, sent: &str) -> Result<Box<str>, NoFilter> {
        let bytes = sent.len().saturating_add(FilterLimits::TEXT_BYTES);
        self.bytes = self.bytes.checked_sub(bytes).ok_or(NoFilter)?;
        Ok(sent.into())
    }
}

#[cfg(test)]
mod tests;
