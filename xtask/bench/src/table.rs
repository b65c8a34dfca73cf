//! The one table: a figure in each row, with what it is compared with.

/// One line of the result.
#[derive(Clone, Debug, Default)]
pub(crate) struct FigureRow {
    pub(crate) figure: &'static str,
    pub(crate) what: String,
    /// The raw stack, or the least that is possible.
    pub(crate) raw: String,
    /// The best of the others.
    pub(crate) peer: String,
    pub(crate) ours: String,
    pub(crate) target: String,
    /// Whether the target is met; nothing where there is none.
    pub(crate) is_met: Option<bool>,
}

impl FigureRow {
    pub(crate) fn new(figure: &'static str, what: impl Into<String>) -> Self {
        Self { figure, what: what.into(), ..Self::default() }
    }

    #[must_use]
    pub(crate) fn raw(self, raw: impl Into<String>) -> Self {
        Self { raw: raw.into(), ..self }
    }

    #[must_use]
    pub(crate) fn peer(self, peer: impl Into<String>) -> Self {
        Self { peer: peer.into(), ..self }
    }

    #[must_use]
    pub(crate) fn ours(self, ours: impl Into<String>) -> Self {
        Self { ours: ours.into(), ..self }
    }

    /// The target, and whether ours meets it.
    #[must_use]
    pub(crate) fn target(self, target: impl Into<String>, is_met: bool) -> Self {
        Self { target: target.into(), is_met: Some(is_met), ..self }
    }

    fn cells(&self) -> [&str; 7] {
        let met = match self.is_met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        [self.figure, &self.what, &self.raw, &self.peer, &self.ours, &self.target, met]
    }
}

const HEAD: [&str; 7] = ["", "figure", "raw", "best peer", "ours", "target", "met"];

/// The rows as Markdown, in columns that line up.
pub(crate) fn markdown(rows: &[FigureRow]) -> String {
    let lines: Vec<_> = std::iter::once(HEAD).chain(rows.iter().map(FigureRow::cells)).collect();
    let widths: Vec<usize> = (0..HEAD.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let line = |cells: &[&str; 7]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|");
    let body: String = lines.iter().skip(1).map(line).collect();
    format!("{}|{rule}|\n{body}", line(&HEAD))
}
