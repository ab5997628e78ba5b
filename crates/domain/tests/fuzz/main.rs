//! Fuzz targets: random input for the domain's readers. `FUZZ_SECONDS` sets how long each runs, 2 by default.

mod schemas;
