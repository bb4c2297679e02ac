//! Moves: at no moment can two databases be used.

use std::path::Path;

use crate::scenarios::Call;

pub fn is_mine(scenario: &str) -> bool {
    matches!(scenario, "export_for_transfer" | "import_transfer")
}

pub fn call(_scenario: &str, _folder: &Path) -> Call {
    panic!()
}
