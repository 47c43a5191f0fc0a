// SPDX-License-Identifier: MIT
//! frames [DEVICE [FRAMES]]: lists the devices; reads so many frames of one, and tells what it lost.
//! It goes on when the device is unplugged and comes back. Nothing but std is needed, and nothing is
//! unsafe: pread copies what a map would show.
//!
//! Build: rustc -O -o frames-rs frames.rs
use std::convert::TryInto;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

const STATES: [&str; 5] = ["", "offline", "available", "error", "removed"];
const ESTALE: i32 = 116;

fn number<const N: usize>(record: &[u8], at: usize) -> [u8; N] {
    record[at..at + N].try_into().unwrap()
}

fn u16_at(record: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes(number(record, at))
}

fn u32_at(record: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(number(record, at))
}

fn u64_at(record: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(number(record, at))
}

fn devices() -> io::Result<()> {
    let mut folders: Vec<_> = fs::read_dir("/sys/class/devring")?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    for folder in folders {
        let value = |name| fs::read_to_string(folder.join(name));
        let (link, kind, state) = (value("link")?, value("type")?, value("state")?);
        println!("device {} {} {}", link.trim(), kind.trim(), state.trim());
    }
    Ok(())
}

struct Reader {
    file: File,
    frames: u64,
    lost: u64,
}

impl Reader {
    fn frame(&mut self, record: &[u8]) -> io::Result<()> {
        let (sequence, offset, lost) = (u64_at(record, 8), u64_at(record, 16), u64_at(record, 32));
        let mut payload = vec![0; u32_at(record, 48) as usize];
        self.lost += lost;
        match self.file.read_exact_at(&mut payload, offset) {
            Err(error) if error.raw_os_error() == Some(ESTALE) => {
                self.lost += 1; // Its ring was replaced meanwhile.
                return Ok(());
            }
            other => other?,
        }
        self.frames += 1;
        let sum: u32 = payload.iter().map(|&byte| u32::from(byte)).fold(0, u32::wrapping_add);
        println!("frame {}: {} bytes, {} lost, sum {}", sequence, payload.len(), lost, sum);
        Ok(())
    }

    fn read(&mut self, wanted: u64) -> io::Result<()> {
        let mut buffer = [0; 128];
        while self.frames < wanted {
            let n = match self.file.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut records = &buffer[..n];
            while !records.is_empty() {
                match u16_at(records, 2) {
                    1 => self.frame(records)?,
                    2 => println!("ring {}", u32_at(records, 8)),
                    3 => println!("state {}", STATES[u32_at(records, 8) as usize]),
                    _ => (),
                }
                records = &records[u16_at(records, 0) as usize..];
            }
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    devices()?;
    if arguments.len() < 2 {
        return Ok(());
    }
    let wanted = arguments.get(2).map_or(60, |text| text.parse().expect("a number of frames"));
    let mut reader = Reader { file: File::open(&arguments[1])?, frames: 0, lost: 0 };
    reader.read(wanted)?;
    println!("{} frames, {} lost", reader.frames, reader.lost);
    Ok(())
}
