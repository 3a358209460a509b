//! Filters by tags: which publications of a channel one subscriber wants.
//!
//! What a client sends (`SubscribeRequest.tf`) is checked and turned into a tree once. From then on every publication is
//! held against it, so nothing in here allocates or can fail.

mod decimal;

use std::collections::BTreeMap;
use std::fmt;

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

/// What is wrong with what a client has sent for a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is none by the protocol's rules (section "tags filter").
    Form,
    /// It has more nodes than these.
    Nodes(usize),
    /// It has more levels than these.
    Depth(usize),
    /// Its keys and values have more bytes than these.
    Bytes(usize),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("is none by the protocol's rules"),
            Self::Nodes(most) => write!(f, "has more than {most} nodes"),
            Self::Depth(most) => write!(f, "has more than {most} levels"),
            Self::Bytes(most) => {
                let each = FilterLimits::TEXT_BYTES;
                write!(f, "has more than {most} bytes of keys and values, {each} counted for each besides")
            }
        }
    }
}

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
    Number(Box<str>, Order, Decimal<Box<str>>),
    /// A tag is to stand in such a way to something that is no number, which none does.
    Never,
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
    pub fn new(sent: &FilterNode, limits: &FilterLimits) -> Result<Self, Flaw> {
        let mut budget = Budget { nodes: limits.nodes_max, bytes: limits.bytes_max, limits };
        budget.node(sent, limits.depth_max).map(Self)
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
            Self::Never => false,
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
    fn holds(self, tag: &str, value: &Decimal<Box<str>>) -> bool {
        let Some(tag) = Decimal::read(tag) else { return false };
        let ordering = tag.compare(value);
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// What a filter may still cost while it is read.
struct Budget<'a> {
    nodes: usize,
    bytes: usize,
    limits: &'a FilterLimits,
}

impl Budget<'_> {
    fn node(&mut self, sent: &FilterNode, depth: usize) -> Result<Node, Flaw> {
        let FilterLimits { nodes_max, depth_max, .. } = *self.limits;
        self.nodes = self.nodes.checked_sub(1).ok_or(Flaw::Nodes(nodes_max))?;
        let within = || depth.checked_sub(1).ok_or(Flaw::Depth(depth_max));
        let FilterNode { op, key, cmp, val, vals, nodes } = sent;
        // A node says one thing: what would be passed over in silence is refused.
        let compares = [key, cmp, val].into_iter().any(|text| !text.is_empty()) || !vals.is_empty();
        match (op.as_str(), &nodes[..]) {
            ("", []) => self.comparison(sent),
            _ if compares => Err(Flaw::Form),
            ("and", [_, ..]) => Ok(Node::All(self.nodes(nodes, within()?)?)),
            ("or", [_, ..]) => Ok(Node::Any(self.nodes(nodes, within()?)?)),
            ("not", [node]) => Ok(Node::Not(Box::new(self.node(node, within()?)?))),
            _ => Err(Flaw::Form),
        }
    }

    fn nodes(&mut self, sent: &[FilterNode], depth: usize) -> Result<Box<[Node]>, Flaw> {
        sent.iter().map(|node| self.node(node, depth)).collect()
    }

    fn comparison(&mut self, sent: &FilterNode) -> Result<Node, Flaw> {
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
                    "lt" => number(key, Order::Less, &value),
                    "lte" => number(key, Order::AtMost, &value),
                    "gt" => number(key, Order::More, &value),
                    "gte" => number(key, Order::AtLeast, &value),
                    _ => return Err(Flaw::Form),
                }
            }
            _ => return Err(Flaw::Form),
        };
        Ok(node)
    }

    fn texts<'a>(&mut self, sent: impl IntoIterator<Item = &'a String>) -> Result<Box<[Box<str>]>, Flaw> {
        sent.into_iter().map(|text| self.text(text)).collect()
    }

    fn text(&mut self, sent: &str) -> Result<Box<str>, Flaw> {
        let bytes = sent.len().saturating_add(FilterLimits::TEXT_BYTES);
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Flaw::Bytes(self.limits.bytes_max))?;
        Ok(sent.into())
    }
}

fn number(key: Box<str>, order: Order, value: &str) -> Node {
    match Decimal::read(value) {
        Some(value) => Node::Number(key, order, value.to_owned()),
        None => Node::Never,
    }
}

#[cfg(test)]
mod tests;
