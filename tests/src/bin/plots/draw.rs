//! A figure as SVG.

use super::figures::{Figure, Series, Shape};
use super::panels;
use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;

/// Width and height, in pixels.
const SIZE: (u32, u32) = (860, 480);
/// The same for panels.
const PANELS_SIZE: (u32, u32) = (1080, 720);
/// Told apart by most eyes (Okabe and Ito).
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(90, 90, 90),
    RGBColor(0, 0, 0),
];

/// Draws.
pub(crate) fn svg(figure: &Figure) -> Result<String> {
    let mut text = String::new();
    let size = match figure.shape {
        Shape::Panels(_) => PANELS_SIZE,
        _ => SIZE,
    };
    let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
    area.fill(&WHITE)?;
    match &figure.shape {
        Shape::Lines(series) => lines(&area, figure, series),
        Shape::Panels(panels) => panels::draw(&area, figure, panels),
        Shape::Bars(bars) => columns(&area, figure, bars),
    }
    .map_err(|error| anyhow!("{}: {error}", figure.name))?;
    area.present()?;
    drop(area);
    Ok(text)
}

/// Where to draw.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
/// What came of it.
pub(crate) type Drawn<'a> =
    Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

/// A chart over a logarithmic axis.
type Chart<'c, DB, Y> = ChartContext<'c, DB, Cartesian2d<LogCoord<f64>, Y>>;

fn lines<'a>(area: &Area<'a>, figure: &Figure, series: &Series) -> Drawn<'a> {
    let points = || series.values().flatten();
    let left = points().map(|point| point.0).fold(f64::INFINITY, f64::min);
    let right = points().map(|point| point.0).fold(0.0, f64::max);
    let top = points().map(|point| point.1).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(&figure.title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d((left..right).log_scale(), 0.0..top * 1.1)?;
    let (dot, legend) = (3, SeriesLabelPosition::UpperLeft);
    curves(&mut chart, figure, series, dot, legend)
}

/// Draws axes, lines with dots of this size, and the legend.
pub(crate) fn curves<'c, DB, Y>(
    chart: &mut Chart<'c, DB, Y>,
    figure: &Figure,
    series: &Series,
    dot: i32,
    legend: SeriesLabelPosition,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>>
where
    DB: DrawingBackend + 'c,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .x_desc(figure.axes[0])
        .y_desc(figure.axes[1])
        .x_label_formatter(&|number| short(*number))
        .y_label_formatter(&|number| short(*number))
        .light_line_style(WHITE)
        .draw()?;
    for ((name, points), colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let style = colour.stroke_width(2);
        let line = chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        line.label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 4 * dot + 6, y)], style));
        let dots = points
            .iter()
            .map(|point| Circle::new(*point, dot, colour.filled()));
        chart.draw_series(dots)?;
    }
    chart
        .configure_series_labels()
        .position(legend)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    Ok(())
}

fn columns<'a>(area: &Area<'a>, figure: &Figure, bars: &[(String, f64)]) -> Drawn<'a> {
    let top = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(&figure.title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(-0.5..bars.len() as f64 - 0.5, 0.0..top * 1.1)?;
    let name = |at: &f64| {
        let (_, bar) = (0..)
            .zip(bars)
            .find(|(number, _)| f64::from(*number) == *at)?;
        Some(bar.0.clone())
    };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(2 * bars.len() + 1)
        .y_desc(figure.axes[1])
        .x_label_formatter(&|at| name(at).unwrap_or_default())
        .y_label_formatter(&|number| short(*number))
        .light_line_style(WHITE)
        .draw()?;
    let bars = (0..).zip(bars).zip(COLOURS.iter().cycle());
    chart.draw_series(bars.map(|((number, bar), colour)| {
        let middle = f64::from(number);
        Rectangle::new(
            [(middle - 0.35, 0.0), (middle + 0.35, bar.1)],
            colour.filled(),
        )
    }))?;
    Ok(())
}

/// 10k for 10000.
fn short(number: f64) -> String {
    match number {
        _ if number >= 1e6 => format!("{}M", number / 1e6),
        _ if number >= 1e3 => format!("{}k", number / 1e3),
        _ => format!("{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::Panel;
    use super::*;

    #[test]
    fn titles_and_series_are_in_the_picture() {
        let points = vec![(1e3, 30.0), (1e6, 60.0)];
        let figure = Figure {
            name: "names".into(),
            title: "Time against names".into(),
            axes: ["names", "ns"],
            shape: Shape::Lines(Series::from([("uniform".to_owned(), points)])),
        };
        let text = svg(&figure).unwrap();
        for word in ["<svg", "Time against names", "uniform", "100k"] {
            assert!(text.contains(word), "{word} is missing");
        }
    }

    #[test]
    fn every_panel_has_its_title_and_its_series() {
        let panel = |title: &str, points| Panel {
            title: title.to_owned(),
            series: Series::from([("p99".to_owned(), points)]),
        };
        let figure = Figure {
            name: "latency".into(),
            title: "Latency".into(),
            axes: ["queries", "µs"],
            shape: Shape::Panels(vec![
                panel("spin", vec![(1e3, 7.0), (1e5, 9.0)]),
                panel("adaptive", vec![(1e3, 7.0)]),
            ]),
        };
        let text = svg(&figure).unwrap();
        for word in ["Latency", "spin", "adaptive", "p99", "queries"] {
            assert!(text.contains(word), "{word} is missing");
        }
    }

    #[test]
    fn every_bar_has_its_name() {
        let bars = vec![("ripples".to_owned(), 3e6), ("nsd".to_owned(), 1e6)];
        let figure = Figure {
            name: "throughput".into(),
            title: "Throughput".into(),
            axes: ["", "answers a second"],
            shape: Shape::Bars(bars),
        };
        let text = svg(&figure).unwrap();
        assert!(text.contains("ripples") && text.contains("nsd"), "{text}");
    }
}
