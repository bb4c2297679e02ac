//! How much of everything there may be. What operators differ about is an argument; this is what a phone never reaches.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Time;

/// Largest body without a token.
pub(crate) const STRANGERS_BODY: usize = 64 << 10;
/// Largest body with a token: a Commit with the Welcome and the tree of a group of thousands, in base64.
pub(crate) const BODY: usize = 8 << 20;
/// Bytes of bodies that are in memory at once, from all clients. More are answered `busy`.
pub(crate) const BODIES: usize = 256 << 20;
/// For a body to arrive.
pub(crate) const BODY_TIME: Duration = Duration::from_secs(20);
/// For a small body that is not wanted.
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(2);
/// For the head of a request to arrive, on a connection that has been used or not.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(30);
/// For TLS to be agreed on.
pub(crate) const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// After this long a connection takes no more requests, and after [`CONNECTION_GRACE`] it is closed, whoever still reads.
pub(crate) const CONNECTION_TIME: Duration = Duration::from_secs(600);
pub(crate) const CONNECTION_GRACE: Duration = Duration::from_secs(120);
/// Requests that work at once; those that wait for messages do not count. More are answered `busy`.
pub(crate) const WORKING: usize = 256;
/// Seconds that anybody may ask to wait for messages.
pub(crate) const LONGEST_WAIT: u32 = 60;
/// Waits of one device at once: an app and its notification extension, and some that were given up unseen.
pub(crate) const WAITS_OF_DEVICE: usize = 4;

pub(crate) const CHALLENGE_TIME: Time = 300;
pub(crate) const KEY_PACKAGES_AT_ONCE: usize = 200;
/// Of one device.
pub(crate) const KEY_PACKAGES: i64 = 1000;
/// 367 days: a year and clocks that are wrong.
pub(crate) const KEY_PACKAGE_LIFETIME: Time = 367 * 86400;
pub(crate) const GROUP_ID: usize = 255;
/// Devices that one Commit adds or removes.
pub(crate) const DEVICES_AT_ONCE: usize = 5000;
/// Epochs for which a repeated Commit is recognised.
pub(crate) const REMEMBERED_EPOCHS: i64 = 1000;
/// Bytes of messages in one page; a single larger one comes alone.
pub(crate) const PAGE: usize = 4 << 20;
/// Messages in one page.
pub(crate) const PAGE_MESSAGES: i64 = 1000;

/// A bucket of tokens for each key: `burst` at once, `rate` a second afterwards.
pub(crate) struct Rates<K> {
    rate: f64,
    burst: f64,
    buckets: Mutex<HashMap<K, (f64, Instant)>>,
}

/// Buckets that are kept at once; before there are more, full ones are forgotten.
const BUCKETS: usize = 100_000;

impl<K: Eq + Hash> Rates<K> {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            rate: rate.into(),
            burst: f64::from(rate) * 4.0,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    pub(crate) fn allow(&self, key: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let refilled = |(level, since): (f64, Instant)| {
            let seconds = now.saturating_duration_since(since).as_secs_f64();
            (level + seconds * self.rate).min(self.burst)
        };
        if buckets.len() >= BUCKETS {
            buckets.retain(|_, bucket| refilled(*bucket) < self.burst);
        }
        if buckets.len() >= BUCKETS && !buckets.contains_key(&key) {
            return false;
        }
        let bucket = buckets.entry(key).or_insert((self.burst, now));
        let level = refilled(*bucket);
        let allowed = level >= 1.0;
        *bucket = (if allowed { level - 1.0 } else { level }, now);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_as_many_as_the_rate_says() {
        let (rates, start) = (Rates::new(2), Instant::now());
        let passed = |second: u64| {
            let now = start + Duration::from_secs(second);
            (0..100).filter(|_| rates.allow("phone", now)).count()
        };
        assert_eq!((passed(0), passed(0), passed(1), passed(3)), (8, 0, 2, 4));
        assert!(rates.allow("another", start), "one does not use up another's");
    }

    #[test]
    fn a_flood_of_names_does_not_grow_the_table_for_ever() {
        let (rates, start) = (Rates::new(1), Instant::now());
        for name in 0..BUCKETS + 10 {
            rates.allow(name, start);
        }
        assert_eq!(rates.buckets.lock().unwrap().len(), BUCKETS);
        assert!(
            rates.allow(BUCKETS + 11, start + Duration::from_secs(60)),
            "room is made"
        );
    }
}
