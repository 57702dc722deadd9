//! Small charts beside each other, all with the same logarithmic axes.

use super::draw::{Area, COLOURS, Drawn, short};
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
        chart
            .configure_mesh()
            .x_desc(figure.axes[0])
            .y_desc(figure.axes[1])
            .x_label_formatter(&|number| short(*number))
            .y_label_formatter(&|number| short(*number))
            .light_line_style(WHITE)
            .draw()?;
        for ((name, points), colour) in panel.series.iter().zip(COLOURS) {
            let style = colour.stroke_width(2);
            let line = chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            line.label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 14, y)], style));
            let dots = points
                .iter()
                .map(|point| Circle::new(*point, 2, colour.filled()));
            chart.draw_series(dots)?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
    }
    Ok(())
}
