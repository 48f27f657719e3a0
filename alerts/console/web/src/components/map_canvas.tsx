/** The map itself: the site's own drawing or picture, tiles where the site wants them, and what stands on it. */
import L from 'leaflet';
import 'leaflet/dist/leaflet.css';
import { render, type ComponentChild } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Health, SiteMap } from '../contract';
import { language, t, tName } from '../i18n';
import { AreaSymbol, PartSymbol, type Standing } from './map_symbols';

/** What a drawing's features may be, and what the style sheet knows; anything else is drawn plainly. */
const KINDS: readonly string[] = ['land', 'water', 'green', 'road', 'building', 'danger', 'route'];
const CLOSE = 18; // zoom at which one area is looked at
const FAR = 10.5; // zoom below which the names of the drawing would lie upon each other
const PICTURE = '/api/v1/map';
type Place = [number, number];

export interface AreaOnMap {
  id: string;
  name: string;
  place: Place;
  standing: Standing;
  words: string;
}
export interface PartOnMap {
  id: string;
  kind: 'point' | 'camera' | 'unit';
  name: string;
  place: Place;
  state: Health | 'busy' | 'free';
}
export interface Drawing {
  name: string;
  data: GeoJSON.GeoJsonObject;
}
interface Props {
  map: SiteMap;
  ground: GeoJSON.GeoJsonObject | null;
  overlays: readonly Drawing[];
  areas: readonly AreaOnMap[];
  parts: readonly PartOnMap[];
  chosen: string;
  onChoose: (area: string) => void;
}

export function MapCanvas({ map: site, ground, overlays, areas, parts, chosen, onChoose }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<L.Map | null>(null);
  const layers = useRef({ ground: L.layerGroup(), overlays: L.layerGroup(), areas: L.layerGroup(), parts: L.layerGroup() });
  const choose = useRef(onChoose);
  choose.current = onChoose;
  const tongue = language.value;

  useEffect(() => {
    if (!box.current) return undefined;
    const made = L.map(box.current, {
      attributionControl: false,
      zoomControl: false,
      zoomSnap: 0.25,
      minZoom: 3,
      maxZoom: 20,
      fadeAnimation: !still(),
      zoomAnimation: !still(),
    });
    L.control.zoom({ zoomInTitle: t('map.in'), zoomOutTitle: t('map.out') }).addTo(made);
    L.control.scale({ imperial: false }).addTo(made);
    if (site.attribution) L.control.attribution({ prefix: false }).addAttribution(plain(site.attribution)).addTo(made);
    if (site.tiles) L.tileLayer(site.tiles, { maxZoom: 20, maxNativeZoom: 18 }).addTo(made);
    if (site.kind === 'picture' && site.bounds) L.imageOverlay(PICTURE, L.latLngBounds(site.bounds)).addTo(made);
    for (const layer of Object.values(layers.current)) layer.addTo(made);
    const fold = () => box.current?.classList.toggle('far', made.getZoom() < FAR);
    made.on('zoomend', fold);
    map.current = made;
    const watch = new ResizeObserver(() => made.invalidateSize());
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      made.remove();
      map.current = null;
    };
  }, [tongue]);

  useEffect(() => {
    layers.current.ground.clearLayers();
    if (ground) draw(ground, '').addTo(layers.current.ground);
  }, [ground, tongue]);

  useEffect(() => {
    layers.current.overlays.clearLayers();
    for (const one of overlays) draw(one.data, 'over').addTo(layers.current.overlays);
  }, [overlays, tongue]);

  const whole = JSON.stringify(areas.map((area) => area.place));
  useEffect(() => {
    if (!map.current || chosen) return;
    const spots = L.latLngBounds(areas.map((area) => area.place));
    if (site.bounds) spots.extend(L.latLngBounds(site.bounds));
    if (spots.isValid()) map.current.fitBounds(spots, { padding: [34, 34], maxZoom: CLOSE, animate: false });
    else map.current.setView([0, 0], 3);
  }, [whole, chosen, tongue]);

  const place = areas.find((area) => area.id === chosen)?.place;
  useEffect(() => {
    if (place) map.current?.setView(place, CLOSE, { animate: !still() });
  }, [chosen, place?.[0], place?.[1], tongue]);

  const shown = JSON.stringify([areas, chosen]);
  useEffect(() => {
    layers.current.areas.clearLayers();
    for (const area of areas) {
      const calm = area.standing === 'calm' || area.standing === 'partly' || area.standing === 'silent';
      const size = area.id === chosen ? 34 : calm ? 22 : 30;
      const marker = L.marker(area.place, {
        icon: symbol(<AreaSymbol standing={area.standing} size={size} />, size, `map-area${area.id === chosen ? ' chosen' : ''}`),
        keyboard: false, // the list beside the map says the same, in an order
        title: `${area.name}: ${area.words}`,
        zIndexOffset: calm ? 0 : 1000,
      });
      marker.on('click', () => choose.current(area.id));
      if (area.id === chosen) marker.bindTooltip(words(area.name), { permanent: true, direction: 'top', offset: [0, -size / 2], className: 'map-name' });
      marker.addTo(layers.current.areas);
      marker.getElement()?.setAttribute('data-area', area.id);
    }
  }, [shown, tongue]);

  const around = JSON.stringify(parts);
  useEffect(() => {
    layers.current.parts.clearLayers();
    for (const part of parts) {
      const icon = symbol(<PartSymbol kind={part.kind} state={part.state} size={20} />, 20, 'map-part');
      const marker = L.marker(part.place, { icon, keyboard: false, title: part.name }).addTo(layers.current.parts);
      marker.getElement()?.setAttribute('data-part', part.id);
    }
  }, [around, tongue]);

  return <div class="map-box" ref={box} role="region" aria-label={t('map.drawing')} data-test="map" />;
}

const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

function symbol(what: ComponentChild, size: number, kind: string): L.DivIcon {
  const held = document.createElement('span');
  render(what, held);
  return L.divIcon({ html: held, className: kind, iconSize: [size, size] });
}

/** Names are put in as text: a drawing or a site may hold anything. */
function words(text: string): HTMLElement {
  const held = document.createElement('span');
  held.textContent = text;
  return held;
}
function plain(text: string): string {
  return words(text).innerHTML;
}

function draw(data: GeoJSON.GeoJsonObject, over: string): L.Layer {
  try {
    return L.geoJSON(data, {
      interactive: false,
      style: (feature) => ({ className: `map-shape ${over} map-${kindOf(feature, over)}` }),
      pointToLayer: (feature, at) => L.circleMarker(at, { radius: 4, interactive: false, className: `map-shape ${over} map-${kindOf(feature, over)}` }),
      onEachFeature: (feature, layer) => {
        const name = named(feature.properties?.name);
        const shown = over || feature.geometry?.type === 'Point' || feature.properties?.kind === 'land';
        if (name && shown) layer.bindTooltip(words(name), { permanent: true, direction: 'center', pane: over ? 'tooltipPane' : 'shadowPane', className: over ? 'map-name' : 'map-label' });
      },
    });
  } catch {
    return L.layerGroup(); // a drawing that is none hides nothing else
  }
}

function kindOf(feature: GeoJSON.Feature | undefined, over: string): string {
  const kind: unknown = feature?.properties?.kind;
  if (typeof kind === 'string' && KINDS.includes(kind)) return kind;
  if (!over) return 'other';
  return feature?.geometry?.type.includes('Line') ? 'route' : 'danger';
}

function named(name: unknown): string {
  if (typeof name === 'string') return name.slice(0, 80);
  if (typeof name === 'object' && name !== null && 'zh' in name && 'en' in name) return tName(name as { zh: string; en: string }).slice(0, 80);
  return '';
}
