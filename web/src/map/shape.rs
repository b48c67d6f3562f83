//! The two shapes of the map: beside a lesson, and alone on a narrow screen.

use crate::map::{Part, Rect};

/// Space at the sides of the map.
pub(super) const MARGIN: f64 = 16.0;

/// How much room there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A landscape: the control plane is one row.
    #[default]
    Wide,
    /// A portrait: everything is one below the other.
    Narrow,
}

impl Shape {
    /// Width of the map in its own units.
    pub fn width(self) -> f64 {
        match self {
            Shape::Wide => 800.0,
            Shape::Narrow => 430.0,
        }
    }

    /// Height that the map has at least.
    pub fn height_min(self) -> f64 {
        match self {
            Shape::Wide => 400.0,
            Shape::Narrow => 560.0,
        }
    }

    /// The control plane's strip.
    pub(super) fn strip(self) -> Rect {
        match self {
            Shape::Wide => Rect { x: 124.0, y: 28.0, w: self.width() - 124.0 - MARGIN, h: 50.0 },
            Shape::Narrow => Rect { x: MARGIN, y: 72.0, w: self.width() - MARGIN * 2.0, h: 92.0 },
        }
    }

    /// Where a part is drawn.
    pub(super) fn part(self, part: Part) -> Rect {
        let row = |x, y, w| Rect { x, y, w, h: 34.0 };
        match (self, part) {
            (Shape::Wide, Part::You) => row(MARGIN, 36.0, 84.0),
            (Shape::Wide, Part::ApiServer) => row(142.0, 36.0, 124.0),
            (Shape::Wide, Part::Etcd) => row(300.0, 36.0, 84.0),
            (Shape::Wide, Part::Controllers) => row(418.0, 36.0, 176.0),
            (Shape::Wide, Part::Scheduler) => row(628.0, 36.0, 138.0),
            (Shape::Narrow, Part::You) => row(28.0, 12.0, 176.0),
            (Shape::Narrow, Part::ApiServer) => row(28.0, 80.0, 176.0),
            (Shape::Narrow, Part::Etcd) => row(226.0, 80.0, 176.0),
            (Shape::Narrow, Part::Controllers) => row(28.0, 122.0, 176.0),
            (Shape::Narrow, Part::Scheduler) => row(226.0, 122.0, 176.0),
        }
    }

    /// Deployments in a row: their names are long.
    pub(super) fn heads_in_row(self) -> usize {
        match self {
            Shape::Wide => 2,
            Shape::Narrow => 1,
        }
    }

    /// Rooms in a row.
    pub(super) fn rooms_in_row(self) -> usize {
        match self {
            Shape::Wide => 3,
            Shape::Narrow => 1,
        }
    }
}
