//! Sorting by an order that may be none.
//!
//! Several of upstream's orders go round in a circle for some members: which ReplicaSet's pod goes first, the natural order of
//! keys. Go's sort then gives some order. The library's may panic, and a panic ends the tab.

use std::cmp::Ordering;

/// So few are sorted by insertion, as Go's sort does: of these even an order in a circle comes out as there.
const INSERTED_MAX: usize = 12;

/// Sorts; what is equal keeps its order. Of an order that contradicts itself something comes out that has every item once.
pub fn sort_by<T>(items: &mut Vec<T>, mut compare: impl FnMut(&T, &T) -> Ordering) {
    *items = sorted(std::mem::take(items), &mut compare);
}

fn sorted<T>(mut items: Vec<T>, compare: &mut dyn FnMut(&T, &T) -> Ordering) -> Vec<T> {
    if items.len() <= INSERTED_MAX {
        for end in 1..items.len() {
            let mut at = end;
            while at > 0 && compare(&items[at], &items[at - 1]).is_lt() {
                items.swap(at, at - 1);
                at -= 1;
            }
        }
        return items;
    }
    let back = sorted(items.split_off(items.len() / 2), compare);
    let (mut front, mut back) = (sorted(items, compare).into_iter().peekable(), back.into_iter().peekable());
    let mut merged = Vec::with_capacity(front.len() + back.len());
    while let (Some(a), Some(b)) = (front.peek(), back.peek()) {
        let next = if compare(b, a).is_lt() { back.next() } else { front.next() };
        merged.extend(next);
    }
    merged.extend(front);
    merged.extend(back);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_and_keeps_what_is_equal() {
        for len in [0, 1, 2, 12, 13, 100, 1_000] {
            let mut items: Vec<(u32, usize)> =
                (0..len).map(|i| ((i as u32).wrapping_mul(2_654_435_761) % 50, i)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            sort_by(&mut items, |a, b| a.0.cmp(&b.0));
            assert_eq!(items, expected);
        }
    }

    #[test]
    fn an_order_in_a_circle_loses_nothing() {
        // Stone, scissors, paper.
        let mut items: Vec<u32> = (0..500).collect();
        sort_by(&mut items, |a, b| match (3 + a % 3 - b % 3) % 3 {
            0 => Ordering::Equal,
            1 => Ordering::Greater,
            _ => Ordering::Less,
        });
        items.sort_unstable();
        assert_eq!(items, (0..500).collect::<Vec<_>>());
    }
}
