//! What init finds in whole directories.
