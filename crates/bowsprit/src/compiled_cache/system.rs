//! What only the system knows: whose a folder is, what a file is, and which program this is. Where it can't
//! be asked, nothing is kept.

use bowsprit_value::codec::{Decoder, Encoder};
use std::time::Duration;

/// What changes with every change of a file: device, number, mode, size, and the seconds and nanoseconds of
/// the last change of its content and of anything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) [u64; 8]);

impl Stamp {
    /// Whether it changed after a time since 1970.
    pub(super) fn is_after(&self, time: Duration) -> bool {
        let [.., content, content_nanos, any, any_nanos] = self.0;
        let of = |seconds, nanos: u64| Duration::from_secs(seconds) + Duration::from_nanos(nanos);
        of(content, content_nanos) > time || of(any, any_nanos) > time
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        self.0.iter().for_each(|number| encoder.number(*number));
    }

    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Option<Stamp> {
        let mut stamp = Stamp::default();
        for number in &mut stamp.0 {
            *number = decoder.number()?;
        }
        Some(stamp)
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Stamp;
    use std::fs::{DirBuilder, File, Metadata};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt};
    use std::path::Path;

    /// Those of the program that is running.
    pub(in super::super) fn program() -> Option<String> {
        let stamp = stamp(&Path::new("/proc/self/exe").metadata().ok()?)?;
        Some(format!("{} {:?}", env!("CARGO_PKG_VERSION"), stamp.0))
    }

    /// Whether a directory is this user's and nobody else's.
    pub(in super::super) fn is_private(dir: &Path) -> bool {
        let user = || Path::new("/proc/self").metadata().ok().map(|process| process.uid());
        dir.symlink_metadata()
            .is_ok_and(|dir| dir.is_dir() && dir.mode() & 0o077 == 0 && Some(dir.uid()) == user())
    }

    pub(in super::super) fn make_private(dir: &Path) -> io::Result<()> {
        if is_private(dir) {
            return Ok(());
        }
        if let Some(parent) = dir.parent() {
            std::fs::create_dir_all(parent)?;
        }
        DirBuilder::new().mode(0o700).create(dir)?;
        if is_private(dir) { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }

    /// So many bytes from a place of a file on.
    pub(in super::super) fn read_at(file: &File, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }

    /// `None` for times before 1970.
    pub(in super::super) fn stamp(metadata: &Metadata) -> Option<Stamp> {
        let time = |number: i64| u64::try_from(number).ok();
        Some(Stamp([
            metadata.dev(),
            metadata.ino(),
            metadata.mode().into(),
            metadata.size(),
            time(metadata.mtime())?,
            time(metadata.mtime_nsec())?,
            time(metadata.ctime())?,
            time(metadata.ctime_nsec())?,
        ]))
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::Stamp;
    use std::fs::{File, Metadata};
    use std::io;
    use std::path::Path;

    pub(in super::super) fn program() -> Option<String> {
        None
    }

    pub(in super::super) fn is_private(_: &Path) -> bool {
        false
    }

    pub(in super::super) fn make_private(_: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn read_at(_: &File, _: u64, _: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn stamp(_: &Metadata) -> Option<Stamp> {
        None
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::{is_private, make_private, program, read_at, stamp};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{is_private, make_private, program, read_at, stamp};
