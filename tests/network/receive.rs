//! What comes in: Welcomes, messages, and what the inbox keeps of them.

use mls_mobile::{BatchOutcome, EarlyRefusal, MlsError, ProcessedMessage};

use crate::{
    call::{Call, Returned},
    script::{Delivery, Fault, Order},
    world::World,
};

impl World {
    /// The epoch into which an unanswered invitation leads, its Welcome sent or not.
    pub fn invitation(&self, by: usize) -> Option<u64> {
        let start = self.service.start_of(by)?;
        (self.phones[by].joined < Some(start)).then_some(start)
    }

    pub fn join(&mut self, by: usize, fault: Fault) {
        let epoch = self.invitation(by).unwrap();
        let Some((_, welcome)) = self.service.welcomes.get(&by).filter(|(into, _)| *into == epoch) else {
            return;
        };
        let call = Call::Join(welcome.clone());
        if let Some(Err(error)) = self.make(by, &call, false, fault) {
            panic!("{by}: {error:?}");
        }
        // The app looks whether it is in, because it may not know.
        if self.phones[by].epoch().is_some() {
            let again = self.phones[by].joined.replace(epoch).is_some();
            self.count(if again { "joined again" } else { "joined" });
        }
    }

    /// What the validator could not judge when it was read.
    pub fn release(&mut self, by: usize, fault: Fault) -> bool {
        match self.make(by, &Call::Release, false, fault) {
            Some(Ok(Returned::Released(released))) => {
                self.promise(by, &released);
                !released.is_empty()
            }
            None => false,
            other => panic!("{by}: {other:?}"),
        }
    }

    /// What waits for a device, without what it must join first to read.
    pub fn deliverable(&self, to: usize) -> Vec<usize> {
        let phone = &self.phones[to];
        if phone.info().is_none() {
            return Vec::new();
        }
        let until = self.invitation(to).unwrap_or(u64::MAX);
        let backlog = self.service.backlog[to].iter().copied();
        backlog
            .filter(|place| self.service.log[*place].epoch < until)
            .collect()
    }

    pub fn deliver(&mut self, to: usize, delivery: &Delivery, fault: Fault) {
        let waiting = self.deliverable(to);
        let from = usize::from(delivery.from) % waiting.len();
        let mut places: Vec<_> = waiting
            .into_iter()
            .skip(from)
            .take(delivery.count.into())
            .collect();
        if matches!(delivery.order, Order::Backwards) {
            places.reverse();
        }
        let mut handled = 0;
        if delivery.batch {
            handled = self.hand_over(to, &places, true, delivery.extension, fault);
        } else {
            let last = places.len() - 1;
            for (number, place) in places.iter().enumerate() {
                let fault = if number == last { fault } else { Fault::None };
                handled += self.hand_over(to, &[*place], false, delivery.extension, fault);
            }
        }
        if !delivery.again {
            self.service.backlog[to].retain(|place| !places[..handled].contains(place));
        }
    }

    /// Tells how many were handled as far as the app knows.
    pub fn hand_over(
        &mut self,
        to: usize,
        places: &[usize],
        batch: bool,
        extension: bool,
        fault: Fault,
    ) -> usize {
        let bytes = |place: &usize| self.service.log[*place].bytes.clone();
        let call = if batch {
            Call::Batch(places.iter().map(bytes).collect())
        } else {
            Call::Process(bytes(&places[0]))
        };
        let before = self.phones[to].epoch();
        let doubt = matches!(fault, Fault::Doubt(_));
        let result = self.make(to, &call, extension, fault);
        let results: Vec<_> = match result {
            Some(Ok(Returned::Batch(batch))) => {
                let stopped = batch.stopped_at.map(|_| batch.error);
                let expected = match fault {
                    Fault::Error(_) => [None, Some(Some(MlsError::StorageIo))].contains(&stopped),
                    Fault::Doubt(_) => [None, Some(Some(MlsError::CredentialRejected))].contains(&stopped),
                    _ => stopped.is_none(),
                };
                assert!(expected, "{to}: {stopped:?}");
                let results = batch.outcomes.into_iter().map(|outcome| match outcome {
                    BatchOutcome::Processed { outcome, .. } => Ok(outcome),
                    BatchOutcome::Failed { error, .. } => Err(error),
                });
                results.collect()
            }
            Some(Ok(Returned::Processed(outcome))) => vec![Ok(outcome)],
            Some(Err(error)) if !batch => vec![Err(error)],
            None => Vec::new(),
            other => panic!("{to}: {other:?}"),
        };
        for (place, result) in places.iter().zip(&results) {
            self.judge(to, before, doubt, *place, result);
            self.phones[to].given.insert(*place);
        }
        // What a kill or a failure of storage hides may have happened.
        self.phones[to].given.extend(places);
        let rejected = |result: &&Result<_, _>| **result == Err(MlsError::CredentialRejected);
        results.len() - results.iter().filter(rejected).count()
    }

    /// What calls told of must be in the inbox.
    pub fn promise(&mut self, by: usize, released: &[ProcessedMessage]) {
        for outcome in released {
            self.count("released");
            self.expect_in_inbox(by, outcome);
        }
    }

    pub fn expect_in_inbox(&mut self, by: usize, outcome: &ProcessedMessage) {
        match outcome {
            ProcessedMessage::Application { id, .. }
            | ProcessedMessage::Commit { id, .. }
            | ProcessedMessage::Proposal { id, .. }
            | ProcessedMessage::OwnCommit { id, .. } => {
                self.phones[by].promised.insert(id.unwrap());
            }
            ProcessedMessage::EarlyRefused {
                id,
                reason: EarlyRefusal::Rejected,
                ..
            } if self.phones[by].has_validator() => {
                self.count("rejected");
                self.phones[by].rejected = true;
                self.phones[by].promised.insert(id.unwrap());
            }
            // It was kept early, given again and read.
            ProcessedMessage::Duplicate | ProcessedMessage::Stale { .. } => {}
            other => panic!("{by}: {other:?}"),
        }
    }

    pub fn read_inbox(&mut self, by: usize, limit: u32, acknowledge: bool, fault: Fault) {
        let entries = self.phones[by].client().inbox(limit).unwrap();
        let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
        for entry in entries {
            let phone = &mut self.phones[by];
            assert!(
                !phone.acknowledged.contains(&entry.id),
                "{by}: it was acknowledged: {entry:?}"
            );
            // The Welcome of a Commit whose echo came before its answer.
            if let ProcessedMessage::OwnCommit {
                epoch,
                welcome: Some(welcome),
                ..
            } = &entry.outcome
            {
                self.service.invite(by, *epoch, welcome.clone());
            }
            if let Some(known) = self.phones[by].saved.insert(entry.id, entry.clone()) {
                assert_eq!(known, entry);
            }
        }
        if acknowledge {
            let call = Call::Acknowledge(ids.clone());
            if let Some(result) = self.make(by, &call, false, fault) {
                result.unwrap();
                self.phones[by].acknowledged.extend(ids);
            }
        } else if matches!(fault, Fault::Restart) {
            self.phones[by].restart();
        }
    }
}
