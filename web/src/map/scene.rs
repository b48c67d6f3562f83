//! Positions of everything on the map.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::map::shape::MARGIN;
use crate::map::{Anchor, Places, Shape};
use crate::picture::{NodeTile, Picture, PodTile, ServiceTile, WorkloadTile};

const GAP: f64 = 14.0;
/// Dots travel so far below the parts of the control plane: below the words.
const LANE_GAP: f64 = 4.0;
const PILL_HEIGHT: f64 = 30.0;
const ROOM_HEAD: f64 = 42.0;
const TILE: (f64, f64) = (74.0, 54.0);
const TILE_SMALL: (f64, f64) = (22.0, 18.0);
const TILE_GAP: f64 = 10.0;
const SMALL_GAP: f64 = 4.0;
/// Between two rows of Services.
const RAIL_GAP: f64 = 8.0;
/// Pods in a room above which tiles are drawn small.
const SMALL_ABOVE: usize = 24;
/// Height of the legend at the bottom.
const LEGEND: f64 = 24.0;
/// Width of a room from which its kubelet is drawn as a part of its own.
const KUBELET_FROM: f64 = 480.0;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// The middle.
    pub fn centre(&self) -> (f64, f64) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }
}

/// A part of the control plane, or the learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The learner's machine.
    You,
    /// kube-apiserver.
    ApiServer,
    /// etcd.
    Etcd,
    /// kube-controller-manager.
    Controllers,
    /// kube-scheduler.
    Scheduler,
}

impl Part {
    /// All, from left to right.
    pub const ALL: [Part; 5] = [Part::You, Part::ApiServer, Part::Etcd, Part::Controllers, Part::Scheduler];
}

/// A part with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartBox {
    /// Which.
    pub part: Part,
    /// Where.
    pub rect: Rect,
}

/// A Deployment, or a ReplicaSet below its Deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadPill {
    /// What it shows.
    pub tile: WorkloadTile,
    /// `Deployment` or `ReplicaSet`.
    pub kind: &'static str,
    /// Where.
    pub rect: Rect,
    /// The pill that owns it.
    pub parent: Option<Rect>,
}

/// A Service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRail {
    /// What it shows.
    pub tile: ServiceTile,
    /// The pill.
    pub rect: Rect,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRoom {
    /// What it shows.
    pub tile: NodeTile,
    /// The room.
    pub rect: Rect,
    /// Whether anything is in it.
    pub empty: bool,
}

impl NodeRoom {
    /// Where its kubelet is drawn; none in a narrow room.
    pub fn kubelet(&self) -> Option<Rect> {
        let at = self.rect;
        (at.w >= KUBELET_FROM).then_some(Rect { x: at.x + at.w - 232.0, y: at.y + 9.0, w: 66.0, h: 22.0 })
    }
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodBox {
    /// What it shows.
    pub tile: PodTile,
    /// Where.
    pub rect: Rect,
    /// Its image's colour.
    pub colour: usize,
    /// No room for words.
    pub small: bool,
}

/// The whole map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The shape, which says the width.
    pub shape: Shape,
    /// Height in units.
    pub height: f64,
    /// The control plane's strip.
    pub strip: Rect,
    /// Parts.
    pub parts: Vec<PartBox>,
    /// Deployments and ReplicaSets.
    pub workloads: Vec<WorkloadPill>,
    /// Services.
    pub services: Vec<ServiceRail>,
    /// Where pods wait that have no node.
    pub waiting: Option<Rect>,
    /// Nodes.
    pub rooms: Vec<NodeRoom>,
    /// Pods.
    pub pods: Vec<PodBox>,
    /// Images with their colours, in the order of names.
    pub legend: Vec<(String, usize)>,
}

impl Scene {
    /// Lays the map out.
    pub fn lay_out(picture: &Picture, places: &Places, shape: Shape) -> Scene {
        let mut scene = Scene {
            shape,
            strip: shape.strip(),
            parts: Part::ALL.iter().map(|part| PartBox { part: *part, rect: shape.part(*part) }).collect(),
            ..Scene::default()
        };
        let mut y = scene.strip.y + scene.strip.h + GAP;
        y = scene.workload_pills(picture, y);
        y = scene.service_rails(picture, y);
        y = scene.waiting_pods(picture, places, y);
        y = scene.node_rooms(picture, places, y);
        let images: BTreeMap<&str, usize> =
            picture.pods.iter().map(|p| (p.image.as_str(), places.colour(&p.image))).collect();
        scene.legend = images.into_iter().map(|(image, colour)| (short_image(image), colour)).collect();
        scene.height = (y + LEGEND).max(shape.height_min());
        scene
    }

    /// Width of each of so many columns.
    fn column_width(&self, columns: usize) -> f64 {
        let columns = columns as f64;
        (self.shape.width() - MARGIN * 2.0 - GAP * (columns - 1.0)) / columns
    }

    fn workload_pills(&mut self, picture: &Picture, top: f64) -> f64 {
        if picture.deployments.is_empty() && picture.replica_sets.is_empty() {
            return top;
        }
        let columns = self.shape.heads_in_row();
        let width = self.column_width(columns);
        let loose = picture.replica_sets.iter().filter(|r| r.owner.is_empty());
        let heads = picture.deployments.iter().map(|d| (d, "Deployment")).chain(loose.map(|r| (r, "ReplicaSet")));
        let (mut y, mut row_height): (f64, f64) = (top, 0.0);
        for (index, (tile, kind)) in heads.enumerate() {
            let column = index % columns;
            if column == 0 && index > 0 {
                y += row_height + GAP;
                row_height = 0.0;
            }
            let rect = Rect { x: MARGIN + column as f64 * (width + GAP), y, w: width, h: PILL_HEIGHT };
            self.workloads.push(WorkloadPill { tile: tile.clone(), kind, rect, parent: None });
            let owned = picture
                .replica_sets
                .iter()
                .filter(|r| kind == "Deployment" && r.owner == tile.name && r.namespace == tile.namespace);
            let mut below = y + PILL_HEIGHT;
            for replica_set in owned {
                let child = Rect { x: rect.x + 18.0, y: below + 6.0, w: width - 18.0, h: PILL_HEIGHT - 4.0 };
                let parent = Some(rect);
                self.workloads.push(WorkloadPill {
                    tile: replica_set.clone(),
                    kind: "ReplicaSet",
                    rect: child,
                    parent,
                });
                below = child.y + child.h;
            }
            row_height = row_height.max(below - y);
        }
        y + row_height + GAP
    }

    fn service_rails(&mut self, picture: &Picture, top: f64) -> f64 {
        let columns = self.shape.heads_in_row();
        let width = self.column_width(columns);
        for (index, tile) in picture.services.iter().enumerate() {
            let (column, row) = (index % columns, index / columns);
            let rect = Rect {
                x: MARGIN + column as f64 * (width + GAP),
                y: top + row as f64 * (PILL_HEIGHT + RAIL_GAP),
                w: width,
                h: PILL_HEIGHT,
            };
            self.services.push(ServiceRail { tile: tile.clone(), rect });
        }
        let rows = picture.services.len().div_ceil(columns);
        if rows == 0 { top } else { top + rows as f64 * (PILL_HEIGHT + RAIL_GAP) - RAIL_GAP + GAP }
    }

    fn waiting_pods(&mut self, picture: &Picture, places: &Places, top: f64) -> f64 {
        let waiting: Vec<&PodTile> = picture.pods.iter().filter(|p| p.node.is_empty()).collect();
        if waiting.is_empty() {
            return top;
        }
        let room = Rect { x: MARGIN, y: top, w: self.column_width(1), h: 0.0 };
        let height = self.seat(room, 22.0, &waiting, places);
        self.waiting = Some(Rect { h: height, ..room });
        top + height + GAP
    }

    fn node_rooms(&mut self, picture: &Picture, places: &Places, top: f64) -> f64 {
        let columns = picture.nodes.len().clamp(1, self.shape.rooms_in_row());
        let width = self.column_width(columns);
        let mut y = top;
        for row in picture.nodes.chunks(columns) {
            let mut heights = Vec::new();
            let first = self.rooms.len();
            for (column, node) in row.iter().enumerate() {
                let pods: Vec<&PodTile> = picture.pods.iter().filter(|p| p.node == node.name).collect();
                let room = Rect { x: MARGIN + column as f64 * (width + GAP), y, w: width, h: 0.0 };
                heights.push(self.seat(room, ROOM_HEAD, &pods, places));
                self.rooms.push(NodeRoom { tile: node.clone(), rect: room, empty: pods.is_empty() });
            }
            // A single row of rooms takes the height that is there: pods that come later find their place.
            let spare = if picture.nodes.len() <= columns { self.shape.height_min() - LEGEND - y - GAP } else { 0.0 };
            let least = (ROOM_HEAD + TILE.1 + TILE_GAP * 2.0).max(spare);
            let height = heights.into_iter().fold(least, f64::max);
            for room in &mut self.rooms[first..] {
                room.rect.h = height;
            }
            y += height + GAP;
        }
        y
    }

    /// Puts pods into a room below its head; gives the height that the room needs.
    fn seat(&mut self, room: Rect, head: f64, pods: &[&PodTile], places: &Places) -> f64 {
        let small = pods.len() > SMALL_ABOVE;
        let (w, h) = if small { TILE_SMALL } else { TILE };
        let gap = if small { SMALL_GAP } else { TILE_GAP };
        let columns = (((room.w - GAP * 2.0 + gap) / (w + gap)).floor() as usize).max(1);
        let mut rows = 1;
        for pod in pods {
            let seat = places.seat(&pod.namespace, &pod.name);
            let (column, row) = (seat % columns, seat / columns);
            rows = rows.max(row + 1);
            self.pods.push(PodBox {
                tile: (*pod).clone(),
                rect: Rect {
                    x: room.x + GAP + column as f64 * (w + gap),
                    y: room.y + head + row as f64 * (h + gap),
                    w,
                    h,
                },
                colour: places.colour(&pod.image),
                small,
            });
        }
        head + rows as f64 * (h + gap) - gap + GAP
    }

    /// Where a dot starts or ends: at the edge of a thing, so that it does not cover words.
    pub fn point(&self, anchor: &Anchor) -> Option<(f64, f64)> {
        match anchor {
            Anchor::Part(part) => {
                let at = self.shape.part(*part);
                Some((at.centre().0, at.y + at.h + LANE_GAP))
            }
            Anchor::Node(name) => {
                let room = self.rooms.iter().find(|r| r.tile.name == *name)?;
                let door = room.kubelet().unwrap_or(room.rect);
                Some((door.centre().0, door.y))
            }
            Anchor::Pod(namespace, name) => {
                let pod = self.pods.iter().find(|p| p.tile.namespace == *namespace && p.tile.name == *name)?;
                Some((pod.rect.centre().0, pod.rect.y))
            }
            Anchor::Service(namespace, name) => {
                let rail = self.services.iter().find(|s| s.tile.namespace == *namespace && s.tile.name == *name)?;
                Some((rail.rect.x, rail.rect.centre().1))
            }
            Anchor::Workload(kind, namespace, name) => {
                let of = |p: &&WorkloadPill| p.kind == kind && p.tile.namespace == *namespace && p.tile.name == *name;
                let pill = self.workloads.iter().find(of)?;
                Some((pill.rect.x, pill.rect.centre().1))
            }
        }
    }

    /// The way of a dot. It goes around what it does not call at: through the margins, between the rows, and to a pod
    /// between the tiles.
    pub fn route(&self, path: &[Anchor]) -> Vec<(f64, f64)> {
        let stops: Vec<(&Anchor, (f64, f64))> = path.iter().filter_map(|a| Some((a, self.point(a)?))).collect();
        let Some((_, first)) = stops.first() else { return Vec::new() };
        let mut points = vec![*first];
        for pair in stops.windows(2) {
            let ((from, start), (to, end)) = (pair[0], pair[1]);
            if !matches!((from, to), (Anchor::Part(_), Anchor::Part(_))) {
                points.extend(self.between(from, start, to, end));
            }
            points.push(end);
        }
        points.dedup();
        points
    }

    /// The turns between two stops: out to the lane of the one, along a margin, and in from the lane of the other.
    fn between(&self, from: &Anchor, start: (f64, f64), to: &Anchor, end: (f64, f64)) -> Vec<(f64, f64)> {
        let (mut out, mut back) = (self.way_out(from, start), self.way_out(to, end));
        let (leave, arrive) = (out[out.len() - 1], back[back.len() - 1]);
        if leave == arrive {
            // Within a room one need not leave it.
            out.pop();
            back.pop();
        } else if leave.1 != arrive.1 {
            let control_plane = |anchor: &Anchor| matches!(anchor, Anchor::Part(part) if *part != Part::You);
            let right = control_plane(from) || control_plane(to);
            let x = if right { self.shape.width() - MARGIN / 2.0 } else { MARGIN / 2.0 };
            out.extend([(x, leave.1), (x, arrive.1)]);
        }
        out.extend(back.into_iter().rev());
        out
    }

    /// From a thing to the lane beside it, which leads to both margins: above a room, above a row of Services (below
    /// it stands what may be in the way), and where a part or the first of a row stands, at its own height.
    fn way_out(&self, anchor: &Anchor, point: (f64, f64)) -> Vec<(f64, f64)> {
        let pod = match anchor {
            Anchor::Part(_) | Anchor::Workload(..) => return vec![point],
            Anchor::Service(..) if point.0 <= MARGIN => return vec![point],
            Anchor::Service(..) => {
                let gutter = point.0 - GAP / 2.0;
                return vec![point, (gutter, point.1), (gutter, point.1 - PILL_HEIGHT / 2.0 - RAIL_GAP / 2.0)];
            }
            Anchor::Node(name) => {
                let room = self.rooms.iter().find(|room| room.tile.name == *name);
                let lane = room.map_or(point.1, |room| room.rect.y - GAP / 2.0);
                return vec![point, (point.0, lane)];
            }
            Anchor::Pod(namespace, name) => {
                self.pods.iter().find(|pod| pod.tile.namespace == *namespace && pod.tile.name == *name)
            }
        };
        let room = pod.and_then(|pod| {
            let room = self.rooms.iter().find(|room| room.tile.name == pod.tile.node).map(|room| room.rect);
            room.or(self.waiting)
        });
        let Some((pod, room)) = pod.zip(room) else { return vec![point] };
        let (inner, aisle) = (room.x + GAP / 2.0, point.1 - if pod.small { SMALL_GAP } else { TILE_GAP } / 2.0);
        vec![point, (point.0, aisle), (inner, aisle), (inner, room.y - GAP / 2.0)]
    }
}

/// `registry/path/name:tag` without registry and path.
pub fn short_image(image: &str) -> String {
    image.rsplit('/').next().unwrap_or(image).to_owned()
}

/// The end of a generated pod name, by which learners tell replicas apart; other names as they are.
pub fn short_name(pod: &PodTile) -> String {
    match pod.name.strip_prefix(&format!("{}-", pod.owner)) {
        Some(suffix) if !pod.owner.is_empty() => suffix.to_owned(),
        _ => pod.name.clone(),
    }
}
