//! `/api/metrictypes/`: one endpoint per file.

mod create_metric_type;
mod definition;
mod delete_metric_type;
mod get_metric_type;
mod list_metric_types;
mod metric_type_view;
mod update_metric_type;

pub(crate) use create_metric_type::create_metric_type;
pub(crate) use delete_metric_type::delete_metric_type;
pub(crate) use get_metric_type::get_metric_type;
pub(crate) use list_metric_types::list_metric_types;
pub(crate) use update_metric_type::update_metric_type;
