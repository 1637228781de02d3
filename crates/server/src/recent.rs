//! A map with a bound that forgets what was not asked for in the longest time: never all at once, which
//! whoever fills it could use.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// What was put or asked for lately: the last half of the room for certain, and some of the half before.
pub(crate) struct Recent<K, V> {
    half: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    /// With room for so many.
    pub(crate) fn new(room: usize) -> Self {
        Self { half: (room / 2).max(1), young: HashMap::new(), old: HashMap::new() }
    }

    /// What is kept under this key, which is young again.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    /// Keeps it.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Takes it out.
    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_pushes_out_what_nobody_asks_for_and_not_all_at_once() {
        let mut recent = Recent::new(100);
        recent.insert("asked for".to_owned(), 0);
        recent.insert("left alone".to_owned(), 0);
        for n in 0..1000 {
            recent.insert(n.to_string(), n);
            assert!(recent.young.len() + recent.old.len() <= 100);
            for back in 0..=n.min(49) {
                let last = (n - back).to_string();
                assert!(recent.young.contains_key(&last) || recent.old.contains_key(&last));
            }
            assert_eq!(recent.get("asked for"), Some(&mut 0), "{n}");
        }
        assert_eq!(recent.get("left alone"), None);
    }

    #[test]
    fn what_is_put_again_or_taken_out_is_there_once_or_not() {
        let mut recent = Recent::new(4);
        recent.insert("a", 1);
        for n in 0..2 {
            recent.insert(["b", "c"][n], 0);
        }
        recent.insert("a", 2);
        assert_eq!((recent.remove("a"), recent.remove("a")), (Some(2), None));
        recent.insert("a", 3);
        recent.clear();
        assert!(recent.get("a").is_none() && recent.get("c").is_none());
    }
}
