//! A device: its files, and what its app has saved and heard.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::Duration,
};

use mls_mobile::{
    CallbackError, ClientConfig, CommitBundle, CredentialValidator, GroupConfig, GroupId, GroupState,
    InboxEntry, MlsClient, MlsError, ValidationRequest,
    fault::{self, Plan, Point},
};
use tempfile::TempDir;

use crate::{
    call::{Call, Returned},
    common::{
        KEY,
        child::{self, Child},
        template::{database, scratch},
    },
    script::Fault,
};

/// So that a message is readable as late as the network may deliver it.
pub fn group_config() -> GroupConfig {
    GroupConfig {
        max_past_epochs: 32,
        out_of_order_tolerance: 1024,
        ..GroupConfig::default()
    }
}

pub struct Phone {
    pub number: usize,
    folder: TempDir,
    client: Option<Arc<MlsClient>>,
    validator: Option<Arc<Validator>>,
    id: GroupId,
    /// The first epoch of the membership that the device knows of.
    pub joined: Option<u64>,
    /// Inbox entries that the app has read and saved.
    pub saved: BTreeMap<u64, InboxEntry>,
    /// Of these the ones whose acknowledgement returned.
    pub acknowledged: BTreeSet<u64>,
    /// Entries that a call has told of.
    pub promised: BTreeSet<u64>,
    /// Places in the log that were handed over, with whatever result.
    pub given: BTreeSet<usize>,
    /// Places in the log of messages that came when the device was no member any more.
    pub missed: BTreeSet<usize>,
    /// Whether the validator failed over a message that was kept: only then the app must ask for its release.
    pub rejected: bool,
    /// Answers of the delivery service that are under way: a Commit and whether it was accepted.
    pub answers: VecDeque<(Vec<u8>, bool)>,
}

/// How many points calls of a kind pass.
pub type Points = BTreeMap<&'static str, u64>;

/// Accepts everything, as long as it answers.
struct Validator {
    answers: AtomicU8,
}

impl Default for Validator {
    fn default() -> Self {
        Self {
            answers: AtomicU8::new(u8::MAX),
        }
    }
}

impl CredentialValidator for Validator {
    fn validate(&self, _request: ValidationRequest) -> Result<bool, CallbackError> {
        match self.answers.load(Ordering::Relaxed) {
            u8::MAX => {}
            0 => return Err(CallbackError::Failed),
            answers => self.answers.store(answers - 1, Ordering::Relaxed),
        }
        Ok(true)
    }
}

fn open(folder: &Path, validator: Option<Arc<Validator>>) -> Arc<MlsClient> {
    let config = ClientConfig {
        group_defaults: Some(group_config()),
        ..ClientConfig::new(database(folder), KEY)
    };
    let validator = validator.map(|validator| validator as Arc<dyn CredentialValidator>);
    MlsClient::open(config, validator, None).unwrap()
}

impl Phone {
    pub fn new(
        number: usize,
        folder: TempDir,
        has_validator: bool,
        id: &GroupId,
        joined: Option<u64>,
    ) -> Self {
        let validator = has_validator.then(Arc::default);
        Self {
            client: Some(open(folder.path(), validator.clone())),
            number,
            folder,
            validator,
            id: id.clone(),
            joined,
            saved: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            promised: BTreeSet::new(),
            given: BTreeSet::new(),
            missed: BTreeSet::new(),
            rejected: false,
            answers: VecDeque::new(),
        }
    }

    pub fn has_validator(&self) -> bool {
        self.validator.is_some()
    }

    fn open(&self) -> Arc<MlsClient> {
        open(self.folder.path(), self.validator.clone())
    }

    pub fn client(&self) -> &Arc<MlsClient> {
        self.client.as_ref().unwrap()
    }

    /// The group's state, if it is here.
    pub fn info(&self) -> Option<GroupState> {
        match self
            .client()
            .group(self.id.clone())
            .and_then(|group| group.info())
        {
            Ok(info) => Some(info),
            Err(MlsError::GroupNotFound) => None,
            Err(error) => panic!("{}: {error:?}", self.number),
        }
    }

    /// The epoch, if the device believes that it is a member.
    pub fn epoch(&self) -> Option<u64> {
        let groups = self.client().groups().unwrap();
        groups
            .iter()
            .find(|group| group.is_active)
            .map(|group| group.epoch)
    }

    pub fn pending(&self) -> Option<CommitBundle> {
        self.client()
            .group(self.id.clone())
            .and_then(|group| group.pending_commit())
            .unwrap()
    }

    pub fn key_package(&self) -> Vec<u8> {
        let identity = self.client().identities().unwrap().remove(0).id;
        self.client()
            .create_key_packages(identity, 1, None)
            .unwrap()
            .remove(0)
            .bytes
    }

    pub fn restart(&mut self) {
        self.client = None;
        self.client = Some(self.open());
    }

    /// Makes a call under a fault. `None` if the app was killed, so that it does not know what came of it.
    pub fn make(
        &mut self,
        call: &Call,
        extension: bool,
        fault: Fault,
        points: &mut Points,
    ) -> Option<Result<Returned, MlsError>> {
        let passed = points.get(call.kind()).copied().unwrap_or(40);
        // A little beyond the end: killed after the return, before the app could save anything.
        let place = |number: u16| u64::from(number) * (passed + 2) / (1 << 16);
        let second = extension.then(|| self.open());
        match fault {
            Fault::None | Fault::Restart => {
                fault::arm(Plan::Count);
                let result = call
                    .clone()
                    .make(second.as_ref().unwrap_or(self.client()), &self.id);
                points.insert(call.kind(), fault::disarm());
                drop(second);
                if matches!(fault, Fault::Restart) {
                    self.restart();
                }
                Some(result)
            }
            Fault::Doubt(number) => {
                let answer = |number| {
                    if let Some(validator) = &self.validator {
                        validator.answers.store(number, Ordering::Relaxed);
                    }
                };
                answer(number);
                let result = call
                    .clone()
                    .make(second.as_ref().unwrap_or(self.client()), &self.id);
                answer(u8::MAX);
                Some(result)
            }
            Fault::Error(number) => {
                fault::arm(Plan::FailAt(place(number)));
                let result = call
                    .clone()
                    .make(second.as_ref().unwrap_or(self.client()), &self.id);
                fault::disarm();
                Some(result)
            }
            Fault::Kill(number) => {
                self.kill(call, second, place(number));
                None
            }
            Fault::KillProcess(number) => {
                drop(second);
                self.kill_process(call, place(number));
                None
            }
        }
    }

    /// What SIGKILL leaves are the files as they are at that point: the call goes no further, and the device goes on
    /// with a copy that was made there.
    fn kill(&mut self, call: &Call, second: Option<Arc<MlsClient>>, point: u64) {
        let copy = scratch();
        FILES.with(|files| {
            *files.borrow_mut() = Some((self.folder.path().to_owned(), copy.path().to_owned()));
        });
        fault::arm(Plan::ParkAt(point, die));
        let client = second.as_ref().unwrap_or(self.client());
        let died = catch_unwind(AssertUnwindSafe(|| call.clone().make(client, &self.id).map(drop)));
        fault::disarm();
        drop(second);
        self.client = None;
        let undisturbed = FILES.with(|files| files.borrow_mut().take()).is_some();
        match died {
            Err(payload) if !payload.is::<Killed>() => resume_unwind(payload),
            _ => {}
        }
        if !undisturbed {
            self.folder = copy;
        }
        self.client = Some(self.open());
    }

    fn kill_process(&mut self, call: &Call, point: u64) {
        self.client = None;
        let task = (call, &self.id.0, self.has_validator(), point);
        fs::write(self.folder.path().join(TASK), rmp_serde::to_vec(&task).unwrap()).unwrap();
        let child = Child::start("child", &[("MLS_FOLDER", self.folder.path().to_str().unwrap())]);
        child.hear();
        child.kill();
        self.client = Some(self.open());
    }
}

struct Killed;

thread_local! {
    /// Whose files are copied where when this thread's call is killed.
    static FILES: RefCell<Option<(PathBuf, PathBuf)>> = const { RefCell::new(None) };
}

fn die(_point: Point) {
    if let Some((from, to)) = FILES.with(|files| files.borrow_mut().take()) {
        for name in ["mls.db", "mls.db-wal"] {
            if from.join(name).exists() {
                fs::copy(from.join(name), to.join(name)).unwrap();
            }
        }
        // No panic hook: this is no failure.
        resume_unwind(Box::new(Killed));
    }
}

const TASK: &str = "task";

/// The child's side of `kill_process`.
pub fn child_main() {
    let Some(folder) = child::argument("MLS_FOLDER") else {
        return;
    };
    let folder = PathBuf::from(folder);
    let task = fs::read(folder.join(TASK)).unwrap();
    let (call, id, has_validator, point): (Call, Vec<u8>, bool, u64) = rmp_serde::from_slice(&task).unwrap();
    let client = open(&folder, has_validator.then(Arc::default));
    fault::arm(Plan::ParkAt(point, |_point| stay()));
    // Whatever comes of it, nobody hears it.
    drop(call.make(&client, &GroupId(id)));
    stay();
}

fn stay() {
    child::say("here");
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
