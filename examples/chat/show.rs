//! How things look on the screen.

use mls_mobile::{CommitSummary, Credential, Member, MlsGroup, NewMember, Sender};

use crate::Result;

pub fn heading(number: u32, text: &str) {
    println!("\n{number}. {text}");
}

pub fn line(who: &str, text: impl AsRef<str>) {
    println!("   {who:<7}{}", text.as_ref());
}

/// The first bytes of the epoch authenticator. Members who see the same number are in the same group with the same
/// history: what a messenger would show as a safety number.
pub fn safety_number(group: &MlsGroup) -> Result<String> {
    let authenticator = group.epoch_authenticator()?;
    let words: Vec<String> = authenticator
        .chunks(2)
        .take(4)
        .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    Ok(words.join(" "))
}

/// An app puts what it likes into a credential; here it is a name.
pub fn name(credential: &Credential) -> String {
    match credential {
        Credential::Basic { identity } => String::from_utf8_lossy(identity).into_owned(),
        Credential::X509 { .. } | Credential::Other { .. } => "somebody".to_owned(),
    }
}

pub fn sender(sender: &Sender) -> String {
    match sender {
        Sender::Member { credential, .. }
        | Sender::External { credential, .. }
        | Sender::NewMember { credential } => name(credential),
    }
}

pub fn members(members: &[Member]) -> String {
    let names: Vec<String> = members.iter().map(|member| name(&member.credential)).collect();
    names.join(", ")
}

/// A Commit as a messenger would tell it: "Alice adds Bob".
pub fn commit(summary: &CommitSummary) -> String {
    let mut deeds = Vec::new();
    if !summary.added.is_empty() {
        let names: Vec<String> = summary
            .added
            .iter()
            .map(|NewMember { credential, .. }| name(credential))
            .collect();
        deeds.push(format!("adds {}", names.join(", ")));
    }
    if !summary.removed.is_empty() {
        deeds.push(format!("removes {}", members(&summary.removed)));
    }
    if deeds.is_empty() {
        deeds.push("renews the keys".to_owned());
    }
    format!("{} {}", sender(&summary.committer), deeds.join(" and "))
}
