//! A place on the globe.

/// Latitude and longitude in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

/// Mean radius of the earth (IUGG).
const EARTH_RADIUS_KM: f64 = 6371.0088;

impl Coordinates {
    /// A place; `None` where there is none with these numbers.
    pub fn of(latitude: f64, longitude: f64) -> Option<Self> {
        let exists = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        exists.then_some(Self {
            latitude,
            longitude,
        })
    }

    /// Degrees north of the equator.
    pub fn latitude(&self) -> f64 {
        self.latitude
    }

    /// Degrees east of Greenwich.
    pub fn longitude(&self) -> f64 {
        self.longitude
    }

    /// Length of the great circle between two places (haversine formula).
    pub fn distance_km(&self, other: &Self) -> f64 {
        let [from, to] = [self.latitude, other.latitude].map(f64::to_radians);
        let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
        let east = half(self.longitude.to_radians(), other.longitude.to_radians());
        let chord = half(from, to) + from.cos() * to.cos() * east;
        2.0 * EARTH_RADIUS_KM * chord.sqrt().min(1.0).asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_globe() {
        let at = |latitude, longitude| Coordinates::of(latitude, longitude).unwrap();
        let close = |a: Coordinates, b: Coordinates, km: f64| {
            let distance = a.distance_km(&b);
            assert!((distance - km).abs() < 1.0, "{distance}");
            assert!((b.distance_km(&a) - distance).abs() < 1e-6);
        };
        // Berlin to New York; over the date line; from pole to pole; to where one is.
        close(at(52.52, 13.405), at(40.7128, -74.006), 6385.0);
        close(at(0.0, 179.5), at(0.0, -179.5), 111.2);
        close(at(90.0, 0.0), at(-90.0, 77.0), 20_015.0);
        close(at(-33.0, 151.0), at(-33.0, 151.0), 0.0);
    }

    #[test]
    fn places_are_on_the_globe() {
        for (latitude, longitude) in [(90.1, 0.0), (-91.0, 0.0), (0.0, 180.5), (f64::NAN, 0.0)] {
            assert_eq!(Coordinates::of(latitude, longitude), None);
        }
    }
}
