/** Where this device is, asked only when the person says so. */
const PATIENCE = 8000; // milliseconds

/** Latitude, longitude in degrees and accuracy in metres; null when the device does not say. */
export function here(): Promise<{ at: string; within: number } | null> {
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ at: `${coords.latitude.toFixed(5)}, ${coords.longitude.toFixed(5)}`, within: Math.round(coords.accuracy) }),
      () => resolve(null),
      { timeout: PATIENCE, maximumAge: 60_000, enableHighAccuracy: true },
    );
  });
}
