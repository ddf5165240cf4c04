//! Compiles the workload in C, with the flags that the command adds for build scripts.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let (object, library) = (out.join("c_storm.o"), out.join("libc_storm.a"));
    let run = |command: &mut Command| {
        let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(status.success(), "{command:?}: {status}");
    };
    let flags = ["-c", "-O2", "-fPIC", "-fno-omit-frame-pointer", "-g1", "src/c_storm.c", "-o"];
    run(Command::new("cc").args(flags).arg(&object));
    run(Command::new("ar").arg("rcs").args([&library, &object]));
    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-lib=static=c_storm");
    println!("cargo::rerun-if-changed=src/c_storm.c");
}
