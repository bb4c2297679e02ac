//! The steps of a history, made by devices and the delivery service together.

use std::{collections::BTreeMap, sync::LazyLock};

use mls_mobile::{GroupId, MlsError};

use crate::{
    call::{Call, Returned},
    common::{Device, raw::RawPeer, template::Template},
    phone::{Phone, Points, group_config},
    script::{Action, Fault, Proposer, Script},
    service::{Content, Entry, Made, Service},
};

pub const DEVICES: usize = 5;
const FOUNDERS: usize = 3;

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
pub fn choose<T: Copy>(all: &[T], number: u8) -> Option<T> {
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
                let early = self.those(|phone| {
                    phone.rejected && phone.info().is_some_and(|info| info.early_messages > 0)
                });
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

    pub fn those(&self, which: impl Fn(&Phone) -> bool) -> Vec<usize> {
        (0..DEVICES)
            .filter(|number| which(&self.phones[*number]))
            .collect()
    }

    pub fn with_active(&mut self, number: u8, act: impl FnOnce(&mut Self, usize)) {
        let active = self.those(|phone| phone.epoch().is_some());
        if let Some(by) = choose(&active, number) {
            act(self, by);
        }
    }

    /// Makes a call. `None` if nobody knows what came of it: the app was killed, or storage failed.
    pub fn make(
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
        let result = self.phones[by].make(call, extension, fault, &mut self.points);
        let enters = matches!(
            call,
            Call::Process(_) | Call::Batch(_) | Call::Merge | Call::MergeStaged
        );
        if enters && !matches!(fault, Fault::Doubt(_)) {
            self.expect_nothing_kept_for_long(by);
        }
        match result {
            None => {
                let process = matches!(fault, Fault::KillProcess(_));
                self.count(if process { "process killed" } else { "killed" });
                None
            }
            Some(Err(MlsError::StorageIo)) if matches!(fault, Fault::Error(_)) => {
                self.count("storage failed");
                None
            }
            result => result,
        }
    }

    /// What could be read has been read: no message waits for an epoch that has begun.
    fn expect_nothing_kept_for_long(&mut self, by: usize) {
        let phone = &self.phones[by];
        if phone.epoch().is_none() || phone.rejected {
            return;
        }
        let group = phone.client().group(self.id.clone()).unwrap();
        let released = group.release_early_messages().unwrap();
        assert_eq!(released, [], "{by}: kept for too long");
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
}
