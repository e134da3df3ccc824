//! YAML as Helm's Go libraries read and write it.
