//! What can happen: the steps of a history, which proptest generates and shrinks. Numbers choose among what is there,
//! so that every value means something in every state.

use std::fmt;

use proptest::{collection::vec, prelude::*};

/// A whole history.
#[derive(Clone, Debug)]
pub struct Script {
    /// A bit for each device: whether it has a validator, or its app merges received Commits later.
    pub validators: u8,
    /// Whether there is one more member, which only proposes, and how it sends that.
    pub proposer: Option<Proposer>,
    pub steps: Vec<Step>,
}

/// A line for each step.
impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "validators {:#010b}, proposer {:?}",
            self.validators, self.proposer
        )?;
        for Step { action, fault } in &self.steps {
            write!(f, "\n    {action:?}, fault: {fault:?}")?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Proposer {
    pub public_handshakes: bool,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub action: Action,
    pub fault: Fault,
}

/// What an app or the network does. The first number says which device.
#[derive(Clone, Debug)]
pub enum Action {
    Send(u8),
    Change(u8, Change),
    /// The pending Commit goes to the delivery service, perhaps once more.
    Submit(u8, Answer),
    /// The oldest answer that was late arrives.
    LateAnswer(u8),
    Deliver(u8, Delivery),
    /// Something that was delivered before comes once more.
    Replay(u8, u8),
    /// The network gives up on a message for now: all others come first.
    Drop(u8, u8),
    Join(u8),
    MergeStaged(u8),
    /// The app gives up on its own Commit, whatever the delivery service thinks.
    Clear(u8),
    /// The proposer, if there is one, wants new keys for itself.
    Propose,
    /// The app reads its inbox, saves what it reads, and may die before it says so.
    ReadInbox {
        by: u8,
        limit: u8,
        acknowledge: bool,
    },
}

/// An Add without an outsider and a Remove without another member become updates.
#[derive(Clone, Debug)]
pub enum Change {
    Update,
    Add(u8),
    Remove(u8),
}

/// What the committer hears of a Commit that the delivery service accepts if it is the epoch's first.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    Now,
    Late,
    Lost,
    /// The app believes that it was refused, and clears it.
    Misunderstood,
}

#[derive(Clone, Debug)]
pub struct Delivery {
    pub from: u8,
    pub count: u8,
    pub order: Order,
    pub batch: bool,
    /// By another client on the same file, as a notification extension does.
    pub extension: bool,
    /// The network does not hear that it arrived, and will deliver it again.
    pub again: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Order {
    Forwards,
    Backwards,
}

/// What goes wrong during the step's call. Numbers are places in the call, out of 2^16.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    None,
    /// The app ends after the call and starts again.
    Restart,
    /// Storage fails at a point; the app goes on.
    Error(u16),
    /// The app is killed at a point: its files are from then on as they were there.
    Kill(u16),
    /// The validator answers as many questions, and then fails.
    Doubt(u8),
    /// As `Kill`, in a process of its own, by SIGKILL.
    KillProcess(u16),
}

impl Action {
    /// Which action it is, and whose, does not shrink: another one is hardly ever a simpler one, and every attempt
    /// plays a history.
    fn any() -> impl Strategy<Value = Self> {
        let numbers = (0..50_u8, any::<u8>(), any::<u8>(), 1..=8_u8, any::<bool>()).no_shrink();
        (numbers, Change::any(), Answer::any(), Delivery::any()).prop_map(
            |((kind, by, which, limit, acknowledge), change, answer, delivery)| match kind {
                0..6 => Self::Send(by),
                6..12 => Self::Change(by, change),
                12..18 => Self::Submit(by, answer),
                18..20 => Self::LateAnswer(by),
                20..32 => Self::Deliver(by, delivery),
                32..33 => Self::Replay(by, which),
                33..34 => Self::Drop(by, which),
                34..38 => Self::Join(by),
                38..44 => Self::MergeStaged(by),
                44..45 => Self::Clear(by),
                45..47 => Self::Propose,
                _ => Self::ReadInbox {
                    by,
                    limit,
                    acknowledge,
                },
            },
        )
    }
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            3 => Just(Self::Update),
            2 => any::<u8>().no_shrink().prop_map(Self::Add),
            2 => any::<u8>().no_shrink().prop_map(Self::Remove),
        ]
    }
}

impl Answer {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            4 => Just(Self::Now),
            1 => Just(Self::Late),
            1 => Just(Self::Lost),
            1 => Just(Self::Misunderstood),
        ]
    }
}

impl Delivery {
    fn any() -> impl Strategy<Value = Self> {
        let order = prop_oneof![Just(Order::Forwards), Just(Order::Backwards)];
        // Mostly what waits longest, or no device would ever move on.
        let from = prop_oneof![2 => Just(0), 1 => any::<u8>().no_shrink()];
        let rarely = || prop_oneof![5 => Just(false), 1 => Just(true)];
        (
            from,
            (1..=16_u8).no_shrink(),
            order,
            any::<bool>(),
            rarely(),
            rarely(),
        )
            .prop_map(|(from, count, order, batch, extension, again)| Self {
                from,
                count,
                order,
                batch,
                extension,
                again,
            })
    }
}

impl Fault {
    fn any(processes: bool) -> impl Strategy<Value = Self> {
        let place = || any::<u16>().no_shrink();
        prop_oneof![
            12 => Just(Self::None),
            1 => Just(Self::Restart),
            2 => place().prop_map(Self::Error),
            3 => place().prop_map(Self::Kill),
            4 => (0..3_u8).no_shrink().prop_map(Self::Doubt),
            u32::from(processes) => place().prop_map(Self::KillProcess),
        ]
    }
}

/// Steps to a part, and parts to a chapter: shrinking takes whole chapters out, then parts, then steps, which is far
/// quicker than one step after the other.
const PART: usize = 4;

/// Histories of about this many steps; `processes` lets children be killed, which takes longer.
pub fn scripts(steps: usize, processes: bool) -> impl Strategy<Value = Script> {
    let step = (Action::any(), Fault::any(processes)).prop_map(|(action, fault)| Step { action, fault });
    let chapters = vec(vec(vec(step, 1..=PART), 1..=PART), 0..=steps / 3);
    let proposer = prop_oneof![
        2 => Just(None),
        1 => any::<bool>().prop_map(|public_handshakes| Some(Proposer { public_handshakes })),
    ];
    (any::<u8>(), proposer, chapters).prop_map(|(validators, proposer, chapters)| Script {
        validators,
        proposer,
        steps: chapters.into_iter().flatten().flatten().collect(),
    })
}
