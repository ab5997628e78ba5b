//! Makes a new migration file count as a change.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
