//! The steps of a history, made by devices and the delivery service together.

use std::{collections::BTreeMap, sync::LazyLock};

use mls_mobile::{BatchOutcome, EarlyRefusal, GroupId, MlsError, ProcessedMessage};

use crate::{
    call::{Call, Returned},
    common::{Device, name_of, raw::RawPeer, template::Template},
    phone::{Phone, Points, group_config},
    script::{Action, Answer, Change, Delivery, Fault, Order, Proposer, Script},
    service::{Content, Entry, Made, Service},
};

const DEVICES: usize = 5;
const FOUNDERS: usize = 3;
/// More own Commits than this in one epoch are not remembered after they were cleared.
const REMEMBERED_COMMITS: usize = 8;
/// Epochs between the oldest message that is under way and the newest: fewer than devices keep.
const MAX_LAG: u64 = 28;

/// Devices, the first of them in a group; made once, because that takes longer than a history.
static TEMPLATES: LazyLock<(Vec<Template>, GroupId)> = LazyLock::new(|| {
    let devices: Vec<_> = (0..DEVICES)
        .map(|number| Device::new(&number.to_string()))
        .collect();
    let id = devices[0].create_group_with(Some(group_config()));
    let key_packages = devices[1..FOUNDERS].iter().map(Device::key_package).collect();
    let bundle = devices[0].group(&id).add_members(key_packages).unwrap();
    devices[0].group(&id).merge_pending_commit().unwrap();
    for device in &devices[1..FOUNDERS] {
        device.join(bundle.welcome.as_ref().unwrap());
        device.group(&id).configure(group_config()).unwrap();
    }
    (devices.into_iter().map(Template::new).collect(), id)
});

pub struct World {
    pub id: GroupId,
    pub phones: Vec<Phone>,
    pub service: Service,
    /// A member that only proposes. It hears of every Commit at once.
    pub proposer: Option<RawPeer>,
    points: Points,
    sent: usize,
    /// What happened, and how often: a history in which nothing happens proves nothing.
    pub tally: Tally,
}

/// How often things happened, by their names.
pub type Tally = BTreeMap<&'static str, u64>;

/// The one of `all` that `number` means.
fn choose<T: Copy>(all: &[T], number: u8) -> Option<T> {
    all.get(usize::from(number).checked_rem(all.len())?).copied()
}

impl World {
    pub fn new(validators: u8) -> Self {
        let (templates, id) = &*TEMPLATES;
        let phone = |(number, template): (usize, &Template)| {
            let has_validator = validators & (1 << number) != 0;
            let joined = (number < FOUNDERS).then_some(1);
            Phone::new(number, template.copy(), has_validator, id, joined)
        };
        Self {
            id: id.clone(),
            phones: templates.iter().enumerate().map(phone).collect(),
            service: Service::new(DEVICES, FOUNDERS),
            proposer: None,
            points: Points::new(),
            sent: 0,
            tally: Tally::new(),
        }
    }

    pub fn play(script: &Script) -> Tally {
        let mut world = Self::new(script.validators);
        if let Some(proposer) = script.proposer {
            world.add(proposer);
        }
        for step in &script.steps {
            world.step(&step.action, step.fault);
        }
        world.settle();
        world.check();
        *world.tally.entry("epochs").or_default() += world.service.epoch();
        world.tally
    }

    /// The first Commit adds the proposer; the network delivers it like any other.
    fn add(&mut self, Proposer { public_handshakes }: Proposer) {
        let mut peer = RawPeer::new("proposer");
        let call = Call::Add(peer.key_package());
        let Some(Ok(Returned::Bundle(bundle))) = self.make(0, &call, false, Fault::None) else {
            panic!("the proposer is not added");
        };
        let made = Made {
            by: 0,
            epoch: bundle.epoch,
            ..Made::default()
        };
        self.service.made.insert(bundle.commit.clone(), made);
        assert!(self.service.submit(&bundle.commit));
        peer.join(bundle.welcome.as_ref().unwrap(), public_handshakes);
        self.proposer = Some(peer);
    }

    fn propose(&mut self) {
        let Some(peer) = &mut self.proposer else { return };
        let bytes = peer.propose_self_update();
        self.service.post(Entry {
            epoch: self.service.epoch(),
            by: DEVICES,
            bytes,
            content: Content::Proposal,
        });
    }

    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    fn step(&mut self, action: &Action, fault: Fault) {
        match *action {
            Action::Propose => self.propose(),
            Action::Send(by) => self.with_active(by, |world, by| world.send(by, fault)),
            Action::Change(by, ref change) => {
                // Mostly by one who is not behind, or hardly any would be accepted.
                let newest = self.those(|phone| phone.epoch() == Some(self.service.epoch()));
                match choose(&newest, by) {
                    Some(newest) if by < 192 => self.change(newest, change, fault),
                    _ => self.with_active(by, |world, by| world.change(by, change, fault)),
                }
            }
            Action::Submit(by, answer) => {
                let waiting = self.those(|phone| phone.epoch().is_some() && phone.pending().is_some());
                if let Some(by) = choose(&waiting, by) {
                    self.submit(by, answer, fault);
                }
            }
            Action::LateAnswer(by) => {
                let waiting = self.those(|phone| !phone.answers.is_empty());
                if let Some(by) = choose(&waiting, by) {
                    let (bytes, accepted) = self.phones[by].answers.pop_front().unwrap();
                    self.answer(by, &bytes, accepted, fault);
                }
            }
            Action::Deliver(to, ref delivery) => {
                let waiting: Vec<_> = (0..DEVICES)
                    .filter(|to| !self.deliverable(*to).is_empty())
                    .collect();
                if let Some(to) = choose(&waiting, to) {
                    self.deliver(to, delivery, fault);
                }
            }
            Action::Replay(to, which) => self.with_active(to, |world, to| {
                let given: Vec<_> = world.phones[to].given.iter().copied().collect();
                if let Some(place) = choose(&given, which) {
                    world.hand_over(to, &[place], false, false, fault);
                }
            }),
            Action::Drop(to, which) => {
                let backlog = &mut self.service.backlog[usize::from(to) % DEVICES];
                if let Some(lost) = choose(backlog, which) {
                    backlog.retain(|place| *place != lost);
                    backlog.push(lost);
                }
            }
            Action::Join(by) => {
                let invited: Vec<_> = (0..DEVICES).filter(|by| self.invitation(*by).is_some()).collect();
                if let Some(by) = choose(&invited, by) {
                    self.join(by, fault);
                }
            }
            Action::MergeStaged(by) => {
                let staged =
                    self.those(|phone| phone.info().is_some_and(|info| info.staged_commit.is_some()));
                if let Some(by) = choose(&staged, by) {
                    self.merge_staged(by, fault);
                    return;
                }
                let early = self.those(|phone| phone.info().is_some_and(|info| info.early_messages > 0));
                if let Some(by) = choose(&early, by) {
                    self.release(by, fault);
                }
            }
            Action::Clear(by) => {
                let waiting = self.those(|phone| phone.epoch().is_some() && phone.pending().is_some());
                if let Some(by) = choose(&waiting, by) {
                    self.make(by, &Call::Clear, false, fault).map(Result::unwrap);
                }
            }
            Action::ReadInbox {
                by,
                limit,
                acknowledge,
            } => {
                let full = self.those(|phone| !phone.client().inbox(1).unwrap().is_empty());
                if let Some(by) = choose(&full, by) {
                    self.read_inbox(by, limit.into(), acknowledge, fault);
                }
            }
        }
    }

    fn those(&self, which: impl Fn(&Phone) -> bool) -> Vec<usize> {
        (0..DEVICES)
            .filter(|number| which(&self.phones[*number]))
            .collect()
    }

    fn with_active(&mut self, number: u8, act: impl FnOnce(&mut Self, usize)) {
        let active = self.those(|phone| phone.epoch().is_some());
        if let Some(by) = choose(&active, number) {
            act(self, by);
        }
    }

    /// Makes a call. `None` if nobody knows what came of it: the app was killed, or storage failed.
    fn make(
        &mut self,
        by: usize,
        call: &Call,
        extension: bool,
        fault: Fault,
    ) -> Option<Result<Returned, MlsError>> {
        // Only what comes in is doubted.
        let fault = match fault {
            Fault::Doubt(_) if matches!(call, Call::Add(_) | Call::Join(_)) => Fault::None,
            fault => fault,
        };
        if call.kind() != "process" && call.kind() != "batch" {
            self.count(call.kind());
        }
        match self.phones[by].make(call, extension, fault, &mut self.points) {
            None => {
                self.count("killed");
                None
            }
            Some(Err(MlsError::StorageIo)) if matches!(fault, Fault::Error(_)) => {
                self.count("storage failed");
                None
            }
            result => result,
        }
    }

    pub fn send(&mut self, by: usize, fault: Fault) {
        self.sent += 1;
        let text = format!("{} of {by}", self.sent);
        let epoch = self.phones[by].epoch().unwrap();
        match self.make(by, &Call::Send(text.clone()), false, fault) {
            Some(Ok(Returned::Message(bytes))) => self.service.post(Entry {
                epoch,
                by,
                bytes,
                content: Content::Text(text),
            }),
            None => {}
            Some(Err(MlsError::PendingProposalsExist)) if self.proposer.is_some() => {
                self.count("blocked by a proposal");
            }
            other => panic!("{by}: {other:?}"),
        }
    }

    pub fn change(&mut self, by: usize, change: &Change, fault: Fault) {
        let epoch = self.phones[by].epoch().unwrap();
        let own = |made: &&Made| made.by == by && made.epoch == epoch;
        if self.service.made.values().filter(own).count() >= REMEMBERED_COMMITS
            || self.service.epoch() - self.oldest_epoch() >= MAX_LAG
        {
            return;
        }
        let mut made = Made {
            by,
            epoch,
            ..Made::default()
        };
        let call = self.call_for(change, &mut made);
        let phone = &self.phones[by];
        let (before, info) = (phone.pending(), phone.info().unwrap());
        let result = self.make(by, &call, false, fault);
        let after = self.phones[by].pending();
        match (before, result) {
            (Some(before), result) => {
                let refused = match result {
                    Some(Err(MlsError::StagedCommitExists)) => info.staged_commit.is_some(),
                    Some(Err(MlsError::PendingCommitExists)) | None => true,
                    _ => false,
                };
                assert!(refused, "{by}: {result:?}");
                assert_eq!(after, Some(before));
            }
            (None, Some(Ok(Returned::Bundle(bundle)))) => assert_eq!(after, Some(bundle)),
            // Storage failed: there is none. Killed: perhaps.
            (None, None) => assert!(after.is_none() || !matches!(fault, Fault::Error(_))),
            (None, Some(Err(MlsError::StagedCommitExists))) if info.staged_commit.is_some() => {}
            (None, other) => panic!("{by}: {other:?}"),
        }
        if let Some(bundle) = after {
            assert_eq!(bundle.epoch, epoch);
            self.service.made.entry(bundle.commit).or_insert(made);
        }
    }

    /// Among those whom the device sees as members, and those outside who know that they are none.
    fn call_for(&self, change: &Change, made: &mut Made) -> Call {
        let phone = &self.phones[made.by];
        let members = phone.client().group(self.id.clone()).unwrap().members().unwrap();
        let leaf_of = |number: usize| {
            let member = members
                .iter()
                .find(|member| name_of(&member.credential) == number.to_string());
            member.map(|member| member.leaf_index)
        };
        match *change {
            Change::Update => Call::Update,
            Change::Add(which) => {
                let outside = self.those(|phone| {
                    leaf_of(phone.number).is_none()
                        && phone.epoch().is_none()
                        && self.invitation(phone.number).is_none()
                });
                let Some(whom) = choose(&outside, which) else {
                    return Call::Update;
                };
                made.adds = Some(whom);
                Call::Add(self.phones[whom].key_package())
            }
            Change::Remove(which) => {
                let others: Vec<_> = (0..DEVICES)
                    .filter(|other| *other != made.by && leaf_of(*other).is_some())
                    .collect();
                let Some(whom) = choose(&others, which) else {
                    return Call::Update;
                };
                made.removes = Some(whom);
                Call::Remove(leaf_of(whom).unwrap())
            }
        }
    }

    /// Of what is under way or still will be sent.
    fn oldest_epoch(&self) -> u64 {
        let devices = self.phones.iter().filter_map(Phone::epoch);
        let invited = (0..DEVICES).filter_map(|by| self.invitation(by));
        let messages = (0..DEVICES)
            .filter(|to| self.phones[*to].epoch().is_some())
            .flat_map(|to| self.deliverable(to))
            .map(|place| self.service.log[place].epoch);
        devices.chain(invited).chain(messages).min().unwrap()
    }

    pub fn submit(&mut self, by: usize, answer: Answer, fault: Fault) {
        let bundle = self.phones[by].pending().unwrap();
        let epoch = self.service.epoch();
        let accepted = self.service.submit(&bundle.commit);
        if let Some(peer) = &mut self.proposer
            && self.service.epoch() != epoch
        {
            peer.follow(&bundle.commit);
        }
        self.count(if accepted { "accepted" } else { "refused" });
        match answer {
            Answer::Now => self.answer(by, &bundle.commit, accepted, fault),
            Answer::Late => self.phones[by].answers.push_back((bundle.commit, accepted)),
            Answer::Lost => {}
            Answer::Misunderstood => self.answer(by, &bundle.commit, false, fault),
        }
    }

    /// The app hears of its Commit. It knows which one is meant.
    fn answer(&mut self, by: usize, commit: &[u8], accepted: bool, fault: Fault) {
        if self.phones[by].info().is_none_or(|info| !info.is_active) {
            return;
        }
        let pending = self.phones[by].pending();
        let is_pending = pending.as_ref().is_some_and(|bundle| bundle.commit == commit);
        match (accepted, pending) {
            (true, Some(bundle)) if is_pending => {
                if let Some(welcome) = bundle.welcome {
                    self.service.invite(by, bundle.epoch + 1, welcome);
                }
                match self.make(by, &Call::Merge, false, fault) {
                    Some(Ok(Returned::Merged(merged))) => {
                        assert_eq!(merged.summary.to_epoch, bundle.epoch + 1);
                        self.promise(by, &merged.released);
                    }
                    None => {}
                    other => panic!("{by}: {other:?}"),
                }
            }
            (false, Some(_)) if is_pending => {
                self.make(by, &Call::Clear, false, fault).map(Result::unwrap);
            }
            // Its echo was quicker, or it was cleared.
            (true, None) => match self.make(by, &Call::Merge, false, fault) {
                Some(Ok(Returned::Merged(merged))) => {
                    assert_eq!(Some(merged.summary.to_epoch), self.phones[by].epoch());
                }
                None | Some(Err(MlsError::NoPendingCommit)) => {}
                other => panic!("{by}: {other:?}"),
            },
            _ => {}
        }
    }

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

    pub fn merge_staged(&mut self, by: usize, fault: Fault) {
        match self.make(by, &Call::MergeStaged, false, fault) {
            Some(Ok(Returned::Merged(merged))) => self.promise(by, &merged.released),
            None => {}
            other => panic!("{by}: {other:?}"),
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

    fn deliver(&mut self, to: usize, delivery: &Delivery, fault: Fault) {
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
