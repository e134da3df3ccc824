//! The sprig template function library.
