//! Small charts beside each other, all with the same logarithmic axes.

use super::draw::{Area, Drawn, curves};
use super::figures::{Figure, Panel};
use plotters::prelude::*;

/// Panels in a row.
const COLUMNS: usize = 3;

/// Draws them.
pub(crate) fn draw<'a>(area: &Area<'a>, figure: &Figure, panels: &[Panel]) -> Drawn<'a> {
    let area = area.titled(&figure.title, ("sans-serif", 20))?;
    let points = || {
        panels
            .iter()
            .flat_map(|panel| panel.series.values().flatten())
    };
    let span = |value: fn(&(f64, f64)) -> f64| {
        let values = || points().map(value);
        values().fold(f64::INFINITY, f64::min)..values().fold(0.0, f64::max)
    };
    let (x, y) = (span(|point| point.0), span(|point| point.1));
    let rows = panels.len().div_ceil(COLUMNS);
    for (place, panel) in area.split_evenly((rows, COLUMNS)).iter().zip(panels) {
        let mut chart = ChartBuilder::on(place)
            .caption(&panel.title, ("sans-serif", 15))
            .margin(8)
            .x_label_area_size(40)
            .y_label_area_size(52)
            .build_cartesian_2d(x.clone().log_scale(), y.clone().log_scale())?;
        let (dot, legend) = (2, SeriesLabelPosition::UpperRight);
        curves(&mut chart, figure, &panel.series, dot, legend)?;
    }
    Ok(())
}
