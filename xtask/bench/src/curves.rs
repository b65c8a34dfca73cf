//! How a cost grows, drawn as SVG that is readable on light and on dark.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::Res;

/// Lines over two axes, both logarithmic.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    /// Name of the file.
    pub(crate) name: &'static str,
    pub(crate) across: &'static str,
    pub(crate) up: &'static str,
    pub(crate) lines: Vec<(String, Vec<(f64, f64)>)>,
}

const SIZE: (u32, u32) = (760, 420);

/// There is no background, so every colour stands out from white and from black.
const GREY: RGBColor = RGBColor(128, 128, 128);
const COLOURS: [RGBColor; 4] =
    [RGBColor(125, 125, 125), RGBColor(224, 96, 32), RGBColor(40, 130, 220), RGBColor(20, 150, 90)];

impl Curve {
    pub(crate) const fn new(name: &'static str, across: &'static str, up: &'static str) -> Self {
        Self { name, across, up, lines: Vec::new() }
    }

    /// Draws it into a folder, and gives the name of the file.
    pub(crate) fn draw(&self, folder: &Path) -> Res<String> {
        let file = format!("{}.svg", self.name);
        let path = folder.join(&file);
        let area = SVGBackend::new(&path, SIZE).into_drawing_area();
        self.draw_on(&area).map_err(|error| error.to_string())?;
        area.present()?;
        drop(area);
        Ok(file)
    }

    /// The least and the most of one coordinate, with some room.
    fn bounds(&self, of: fn(&(f64, f64)) -> f64) -> (f64, f64) {
        let values = || self.lines.iter().flat_map(|(_, points)| points.iter().map(of));
        (values().fold(f64::INFINITY, f64::min) / 1.2, values().fold(0.0, f64::max) * 1.2)
    }

    fn draw_on<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let ((left, right), (low, high)) = (self.bounds(|point| point.0), self.bounds(|point| point.1));
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d((left..right).log_scale(), (low..high).log_scale())?;
        chart
            .configure_mesh()
            .bold_line_style(GREY.mix(0.35))
            .light_line_style(GREY.mix(0.12))
            .axis_style(GREY)
            .label_style(("sans-serif", 13).into_font().color(&GREY))
            .x_desc(self.across)
            .y_desc(self.up)
            .x_label_formatter(&|value| plain(*value))
            .y_label_formatter(&|value| plain(*value))
            .draw()?;
        for ((name, points), colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let line = LineSeries::new(points.clone(), colour.stroke_width(2)).point_size(3);
            let key = move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2));
            chart.draw_series(line)?.label(name).legend(key);
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(("sans-serif", 13).into_font().color(&GREY))
            .border_style(GREY.mix(0.35))
            .draw()
    }
}

/// Without zeros that say nothing.
fn plain(value: f64) -> String {
    if value >= 1.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
