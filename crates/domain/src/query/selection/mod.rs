//! Resolution of a query's series selector against the catalogue.

mod criteria;
mod select_series;
mod selected_series;

pub(super) use criteria::{SelectionCriteria, needs_numbers, point_source};
pub(super) use select_series::{CATALOGUE_ATTEMPTS, SelectSeries};
pub(super) use selected_series::{SelectedSeries, Selection, names_of_present};
