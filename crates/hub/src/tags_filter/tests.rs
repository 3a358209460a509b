use proptest::prelude::*;

use super::*;

fn is(key: &str, cmp: &str, val: &str) -> FilterNode {
    FilterNode { key: key.to_owned(), cmp: cmp.to_owned(), val: val.to_owned(), ..FilterNode::default() }
}

fn among(key: &str, cmp: &str, vals: &[&str]) -> FilterNode {
    let vals = vals.iter().map(|val| (*val).to_owned()).collect();
    FilterNode { key: key.to_owned(), cmp: cmp.to_owned(), vals, ..FilterNode::default() }
}

fn all(op: &str, nodes: &[FilterNode]) -> FilterNode {
    FilterNode { op: op.to_owned(), nodes: nodes.to_vec(), ..FilterNode::default() }
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn read(sent: &FilterNode) -> Result<TagsFilter, Flaw> {
    TagsFilter::new(sent, &FilterLimits::default())
}

#[test]
fn each_comparison_holds_for_what_it_says_and_for_nothing_else() {
    let found = tags(&[("team", "red"), ("price", "9.50"), ("empty", "")]);
    let table = [
        (is("team", "eq", "red"), true),
        (is("team", "eq", "blue"), false),
        (is("none", "eq", "red"), false),
        (is("team", "neq", "blue"), true),
        (is("team", "neq", "red"), false),
        (is("none", "neq", "red"), true),
        (among("team", "in", &["blue", "red"]), true),
        (among("team", "in", &["blue"]), false),
        (among("none", "in", &["red"]), false),
        (among("team", "nin", &["blue"]), true),
        (among("team", "nin", &["blue", "red"]), false),
        (among("none", "nin", &["red"]), true),
        (is("team", "ex", ""), true),
        (is("empty", "ex", ""), true),
        (is("none", "ex", ""), false),
        (is("none", "nex", ""), true),
        (is("team", "nex", ""), false),
        (is("team", "sw", "re"), true),
        (is("team", "sw", "ed"), false),
        (is("team", "ew", "ed"), true),
        (is("team", "ew", "re"), false),
        (is("team", "ct", "e"), true),
        (is("team", "ct", "x"), false),
        (is("none", "ct", "x"), false),
        (is("price", "lt", "10"), true),
        (is("price", "lt", "9.5"), false),
        (is("price", "lte", "9.5"), true),
        (is("price", "gt", "-9.5"), true),
        (is("price", "gt", "9.5"), false),
        (is("price", "gte", "9.5"), true),
        (is("price", "gte", "9.51"), false),
        (is("price", "gte", "cheap"), false),
        (is("team", "lt", "10"), false),
        (is("none", "lt", "10"), false),
    ];
    for (sent, expected) in table {
        assert_eq!(read(&sent).unwrap().passes(&found), expected, "{sent:?}");
    }
}

#[test]
fn what_is_no_filter_is_refused() {
    let good = is("a", "eq", "1");
    let table = [
        FilterNode::default(),
        is("", "eq", "1"),
        is("a", "", "1"),
        is("a", "like", "1"),
        is("a", "eq", ""),
        is("a", "ex", "1"),
        is("a", "in", "1"),
        among("a", "in", &[]),
        among("", "in", &["1"]),
        among("a", "eq", &["1"]),
        among("a", "nex", &["1"]),
        FilterNode { val: "1".to_owned(), ..among("a", "in", &["1"]) },
        all("and", &[]),
        all("or", &[]),
        all("not", &[]),
        all("not", &[good.clone(), good.clone()]),
        all("xor", std::slice::from_ref(&good)),
        all("and", &[good.clone(), FilterNode::default()]),
        // What one of two readings would pass over.
        FilterNode { nodes: vec![good.clone()], ..good.clone() },
        FilterNode { op: "and".to_owned(), nodes: vec![good.clone()], ..good.clone() },
    ];
    assert!(read(&good).is_ok());
    for sent in table {
        assert_eq!(read(&sent), Err(Flaw::Form), "{sent:?}");
    }
}

#[test]
fn a_filter_is_taken_up_to_its_limits_and_no_further() {
    let limits = FilterLimits { nodes_max: 3, depth_max: 2, bytes_max: 3 * (FilterLimits::TEXT_BYTES + 1) };
    let flaw = |sent: &FilterNode| TagsFilter::new(sent, &limits).err();
    let leaf = is("a", "ex", "");
    assert_eq!(flaw(&all("and", &[leaf.clone(), leaf.clone()])), None);
    assert_eq!(flaw(&all("and", &[leaf.clone(), leaf.clone(), leaf.clone()])), Some(Flaw::Nodes(3)));
    let not = |node: FilterNode| all("not", &[node]);
    assert_eq!(flaw(&not(not(leaf.clone()))), None);
    let deep = FilterLimits { nodes_max: 100, ..limits };
    assert_eq!(TagsFilter::new(&not(not(not(leaf))), &deep), Err(Flaw::Depth(2)));
    assert_eq!(flaw(&among("a", "in", &["1", "2"])), None);
    let bytes = Some(Flaw::Bytes(limits.bytes_max));
    assert_eq!(flaw(&among("a", "in", &["1", "23"])), bytes, "a byte too many");
    assert_eq!(flaw(&among("a", "in", &["1", "2", ""])), bytes, "nothing costs something");
}

#[test]
fn the_deepest_and_widest_filter_that_decoders_let_through_is_refused_without_harm() {
    let mut deep = is("a", "ex", "");
    for _ in 0..120 {
        deep = all("not", &[deep]);
    }
    assert_eq!(read(&deep), Err(Flaw::Depth(8)));
    assert_eq!(read(&all("or", &vec![is("a", "ex", ""); 20_000])), Err(Flaw::Nodes(64)));
}

/// The protocol's words, read one by one.
fn naively(sent: &FilterNode, tags: &Tags) -> bool {
    let tag = tags.get(&sent.key);
    let number = |text: &str| text.parse::<f64>().ok().filter(|_| !text.contains(['e', 'E', 'n', 'i']));
    let numbers = || Some((number(tag?)?, number(&sent.val)?));
    match (sent.op.as_str(), sent.cmp.as_str()) {
        ("and", _) => sent.nodes.iter().all(|node| naively(node, tags)),
        ("or", _) => sent.nodes.iter().any(|node| naively(node, tags)),
        ("not", _) => !naively(&sent.nodes[0], tags),
        (_, "eq") => tag == Some(&sent.val),
        (_, "neq") => tag != Some(&sent.val),
        (_, "in") => tag.is_some_and(|tag| sent.vals.contains(tag)),
        (_, "nin") => !tag.is_some_and(|tag| sent.vals.contains(tag)),
        (_, "ex") => tag.is_some(),
        (_, "nex") => tag.is_none(),
        (_, "sw") => tag.is_some_and(|tag| tag.starts_with(&sent.val)),
        (_, "ew") => tag.is_some_and(|tag| tag.ends_with(&sent.val)),
        (_, "ct") => tag.is_some_and(|tag| tag.contains(&sent.val)),
        (_, "lt") => numbers().is_some_and(|(tag, val)| tag < val),
        (_, "lte") => numbers().is_some_and(|(tag, val)| tag <= val),
        (_, "gt") => numbers().is_some_and(|(tag, val)| tag > val),
        (_, "gte") => numbers().is_some_and(|(tag, val)| tag >= val),
        other => panic!("{other:?} is no part of a filter"),
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "ab", "b", "ba", "1", "1.0", "2", "10", "-3", "0.5"])
        .prop_map(str::to_owned)
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["x", "y", "z"]).prop_map(str::to_owned)
}

fn filter() -> impl Strategy<Value = FilterNode> {
    let one = prop::sample::select(vec!["eq", "neq", "sw", "ew", "ct", "lt", "lte", "gt", "gte"]);
    let leaf = prop_oneof![
        (key(), one, word()).prop_map(|(key, cmp, val)| is(&key, cmp, &val)),
        (key(), prop::sample::select(vec!["ex", "nex"])).prop_map(|(key, cmp)| is(&key, cmp, "")),
        (key(), prop::sample::select(vec!["in", "nin"]), prop::collection::vec(word(), 1..3))
            .prop_map(|(key, cmp, vals)| FilterNode { vals, ..is(&key, cmp, "") }),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (prop::sample::select(vec!["and", "or"]), prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(op, nodes)| all(op, &nodes)),
            inner.prop_map(|node| all("not", &[node])),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_passes_what_a_direct_reading_of_it_passes(
        sent in filter(),
        tags in prop::collection::btree_map(key(), word(), 0..3),
    ) {
        let filter = read(&sent).expect("it is well made and small");
        prop_assert_eq!(filter.passes(&tags), naively(&sent, &tags));
    }
}
