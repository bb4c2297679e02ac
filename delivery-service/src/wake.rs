//! Requests that wait for messages, and what ends their wait.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mls_delivery_client::wire::Bytes;
use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use crate::limits;

#[derive(Default)]
pub(crate) struct Wake {
    waiting: Mutex<HashMap<Bytes, Bell>>,
}

#[derive(Default)]
struct Bell {
    notify: Arc<Notify>,
    waiters: usize,
}

/// One request that waits; its place is free again when it ends.
pub(crate) struct Waiter<'w> {
    wake: &'w Wake,
    device: Bytes,
    notify: Arc<Notify>,
}

/// A connection on which PostgreSQL tells of what any instance commits, from now on.
pub(crate) struct Told(PgListener);

impl Told {
    pub(crate) async fn connect(database: &str) -> Result<Self, sqlx::Error> {
        let mut listener = PgListener::connect(database).await?;
        listener.listen("mls_delivery").await?;
        Ok(Self(listener))
    }
}

impl Wake {
    /// `None` if the device has too many already.
    pub(crate) fn wait_for(&self, device: &Bytes) -> Option<Waiter<'_>> {
        let mut waiting = self.lock();
        let bell = waiting.entry(device.clone()).or_default();
        if bell.waiters >= limits::WAITS_OF_DEVICE {
            return None;
        }
        bell.waiters += 1;
        Some(Waiter {
            wake: self,
            device: device.clone(),
            notify: bell.notify.clone(),
        })
    }

    /// To be called after the commit, or the woken would find nothing.
    pub(crate) fn all(&self, devices: &[Bytes]) {
        let waiting = self.lock();
        for bell in devices.iter().filter_map(|device| waiting.get(device)) {
            bell.notify.notify_waiters();
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Wakes for what any instance commits on PostgreSQL. What is told while the connection is lost comes late: a wait looks
    /// again by itself.
    pub(crate) async fn follow(self: Arc<Self>, told: Told, database: String) {
        let mut told = Ok(told);
        loop {
            if let Ok(Told(listener)) = &mut told {
                while let Ok(notification) = listener.recv().await {
                    let device = from_hex(notification.payload()).map(Bytes);
                    self.all(device.as_slice());
                }
            }
            crate::report("PostgreSQL's notifications are interrupted");
            tokio::time::sleep(Duration::from_secs(1)).await;
            told = Told::connect(&database).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Bytes, Bell>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter<'_> {
    /// Registered at once, so that what happens before it is awaited counts.
    pub(crate) fn rung(&self) -> impl Future<Output = ()> {
        let mut rung = Box::pin(self.notify.notified());
        rung.as_mut().enable();
        rung
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiting = self.wake.lock();
        if let Some(bell) = waiting.get_mut(&self.device) {
            bell.waiters -= 1;
            if bell.waiters == 0 {
                waiting.remove(&self.device);
            }
        }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_waits_only_so_often_and_leaves_nothing_behind() {
        let (wake, device) = (Wake::default(), Bytes(vec![1]));
        let waiters: Vec<_> = (0..limits::WAITS_OF_DEVICE)
            .map(|_| wake.wait_for(&device).unwrap())
            .collect();
        assert!(wake.wait_for(&device).is_none());
        assert!(
            wake.wait_for(&Bytes(vec![2])).is_some(),
            "another device waits for itself"
        );
        drop(waiters);
        assert_eq!(wake.count(), 0);
        assert!(wake.wait_for(&device).is_some());
    }

    #[test]
    fn names_of_devices_come_back_from_their_notification() {
        assert_eq!(from_hex("00ff10"), Some(vec![0, 255, 16]));
        assert_eq!(from_hex("0"), None);
        assert_eq!(from_hex("zz"), None);
    }
}
