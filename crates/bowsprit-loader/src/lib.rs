//! Where charts come from: directories and archives.
