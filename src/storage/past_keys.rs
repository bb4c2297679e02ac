//! When the message keys of past epochs go. OpenMLS keeps the keys and counts an epoch's age from its beginning; what
//! matters is how long ago it ended, so the times of that are kept here, beside OpenMLS's list and in its order.

use serde::{Deserialize, Serialize};

use crate::policy;

/// The past epochs whose message keys a group has, by the time at which each ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PastKeys {
    /// Seconds that an epoch's keys outlive it.
    pub(crate) lifetime: u64,
    /// Seconds since 1970, oldest first: an entry for each past epoch that OpenMLS keeps.
    ended: Vec<u64>,
}

impl Default for PastKeys {
    fn default() -> Self {
        Self::new(policy::DEFAULT_PAST_EPOCH_LIFETIME)
    }
}

impl PastKeys {
    pub(crate) fn new(lifetime: u64) -> Self {
        Self {
            lifetime,
            ended: Vec::new(),
        }
    }

    pub(crate) fn epochs(&self) -> usize {
        self.ended.len()
    }

    /// An epoch ended, and OpenMLS keeps the newest `most`.
    pub(crate) fn push(&mut self, now: u64, most: usize) {
        // A clock that was ahead must not keep keys longer than one that is right, nor break the order.
        self.ended.iter_mut().for_each(|ended| *ended = now.min(*ended));
        self.ended.push(now);
        self.keep_newest(most);
    }

    pub(crate) fn keep_newest(&mut self, epochs: usize) {
        let surplus = self.ended.len().saturating_sub(epochs);
        self.ended.drain(..surplus);
    }

    /// How many of the newest have their lifetime before them still.
    pub(crate) fn unexpired(&self, now: u64) -> usize {
        self.younger_than(self.lifetime, now)
    }

    /// How many of the newest ended at most `seconds` ago; none if `seconds` is 0.
    pub(crate) fn younger_than(&self, seconds: u64, now: u64) -> usize {
        if seconds == 0 {
            return 0;
        }
        // On a clock that went back, an epoch that ended in the future has just ended.
        let younger = |ended: &&u64| now.saturating_sub(**ended) <= seconds;
        self.ended.iter().rev().take_while(younger).count()
    }

    /// The first second at which an epoch has expired.
    pub(crate) fn due(&self) -> Option<u64> {
        self.ended
            .first()
            .map(|ended| ended.saturating_add(self.lifetime).saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::PastKeys;

    fn ended(lifetime: u64, times: &[u64]) -> PastKeys {
        let mut keys = PastKeys::new(lifetime);
        times.iter().for_each(|time| keys.push(*time, 3));
        keys
    }

    #[test]
    fn an_epoch_expires_a_lifetime_after_its_end_and_is_due_then() {
        let keys = ended(10, &[100, 105]);
        assert_eq!(keys.due(), Some(111));
        assert_eq!([110, 111, 115, 116].map(|now| keys.unexpired(now)), [2, 1, 1, 0]);
        assert_eq!(ended(10, &[]).due(), None);
    }

    #[test]
    fn a_lifetime_of_nothing_keeps_nothing_even_in_the_same_second() {
        assert_eq!(ended(0, &[100]).unexpired(100), 0);
    }

    #[test]
    fn the_newest_are_kept() {
        let mut keys = ended(10, &[100, 101, 102, 103]);
        assert_eq!(keys, ended(10, &[101, 102, 103]));
        keys.push(104, 2);
        assert_eq!(keys, ended(10, &[103, 104]));
        keys.push(105, 0);
        assert_eq!(keys.epochs(), 0);
    }

    #[test]
    fn a_clock_that_goes_back_keeps_keys_and_one_that_was_ahead_keeps_none_for_longer() {
        let mut keys = ended(10, &[1000, 1005]);
        assert_eq!(keys.unexpired(100), 2);
        keys.push(100, 3);
        assert_eq!(keys, ended(10, &[100, 100, 100]));
        assert_eq!(keys.unexpired(111), 0);
    }

    #[test]
    fn the_largest_times_overflow_nothing() {
        let keys = ended(u64::MAX, &[u64::MAX]);
        assert_eq!((keys.due(), keys.unexpired(0)), (Some(u64::MAX), 1));
    }
}
