//! A folder that an input has used, made to hold what it held before.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

/// What is compared and written at once: a page of the database and of memory.
const PAGE: usize = 4096;

/// Makes a folder with nothing but these files in it. They must be closed. What is there already stays, and only the
/// pages that differ are written: a new file costs more than most inputs do.
pub fn lay(folder: &Path, files: &[(&str, &[u8])]) {
    fs::create_dir_all(folder).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if !files.iter().any(|(wanted, _)| name == *wanted) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    for (name, content) in files {
        write(&folder.join(name), content).unwrap();
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let mut there = Vec::with_capacity(content.len() + PAGE);
    file.read_to_end(&mut there)?;
    if there.len() > content.len() {
        file.set_len(content.len() as u64)?;
    }
    for (number, page) in content.chunks(PAGE).enumerate() {
        let start = number * PAGE;
        if there.get(start..start + page.len()) != Some(page) {
            write_at(&mut file, start, page)?;
        }
    }
    Ok(())
}

fn write_at(file: &mut File, start: usize, page: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(start as u64))?;
    file.write_all(page)
}

/// The files of a folder.
pub fn read(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let named = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(named).collect()
}
