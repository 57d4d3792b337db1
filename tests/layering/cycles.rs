//! Files that need one another.

use std::collections::{BTreeMap, BTreeSet};

/// The groups of two and more in which each needs every other, directly or through others of the group: the strongly
/// connected components of the graph.
pub(super) fn cycles(edges: &BTreeSet<(usize, usize)>) -> Vec<BTreeSet<usize>> {
    let nodes: BTreeSet<usize> = edges.iter().flat_map(|(from, to)| [*from, *to]).collect();
    let reached: BTreeMap<usize, BTreeSet<usize>> =
        nodes.iter().map(|node| (*node, reachable(edges, *node))).collect();
    let mut found: Vec<BTreeSet<usize>> = Vec::new();
    for node in nodes {
        if found.iter().any(|group| group.contains(&node)) {
            continue;
        }
        let group: BTreeSet<usize> =
            reached[&node].iter().copied().filter(|other| reached[other].contains(&node)).collect();
        if !group.is_empty() {
            found.push(group);
        }
    }
    found
}

/// Every node that a path of one edge or more leads to.
fn reachable(edges: &BTreeSet<(usize, usize)>, start: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        for (_, next) in edges.range((node, 0)..=(node, usize::MAX)) {
            if found.insert(*next) {
                open.push(*next);
            }
        }
    }
    found
}
