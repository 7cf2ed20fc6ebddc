package phantom

import "math"

// neck is the body of a thyroid: one lobe with the isthmus in front of the trachea, strap muscles
// before it, the carotid sheath beside it. Its frame: X grows laterally from the mid-line of the
// trachea, z is depth from the skin, y grows upwards from the middle of the lobe.
type neck struct {
	*Patient
	lobe   string  // "right lobe" or "left lobe"
	medial float64 // +1 if the trachea lies to the right of the image, as it does for the right lobe
	probe  float64 // X at the middle of the image

	skin, fat, top      float64 // depths of the layers' ends; top is the front of the gland
	halfW, halfH, halfL float64 // of the lobe
	lobeX, lobeZ        float64 // its centre
	trachea             float64 // outer radius
	tracheaZ            float64 // depth of its centre
	isthmus             float64 // thickness
	carotid, jugular    float64 // inner radii
	carotidX, carotidZ  float64 // the carotid's centre
	ripple              [3]ripple

	thyroid, tFat, muscle, tSkin, cartilage, vessel tissueState
}

const (
	tracheaWallMM = 1.8
	vesselWallMM  = 0.9
	fasciaMM      = 0.35 // half-width of a layer's edge
	lowestAirDB   = -6.0
	airAtten      = 3.0 // dB/cm/MHz: the dirty shadow of air behind cartilage. Assumption.
)

// lateral turns an image position into the neck's X, and back.
func (n *neck) lateral(x float64) float64 { return n.probe - n.medial*x }

// neckSite is where a point lies: signed depths, mm, positive inside.
type neckSite struct {
	gland, lobe, isthmus float64
	trachea              float64
	vessel               float64 // inside the lumen of carotid or jugular
}

// locate finds a point of the neck's frame.
func (n *neck) locate(X, y, z float64) neckSite {
	st := neckSite{trachea: n.trachea - math.Hypot(X, z-n.tracheaZ)}
	du, dv, dw := (X-n.lobeX)/n.halfW, (z-n.lobeZ)/n.halfH, y/n.halfL
	rho := math.Sqrt(superellipse(du, dv)*superellipse(du, dv) + dw*dw)
	angle := math.Atan2(dv, du)
	for k, r := range n.ripple {
		rho *= 1 + r.amplitude*math.Sin(float64(k+2)*angle+r.phase+r.drift*dw)
	}
	st.lobe = (1 - rho) * min(n.halfW, n.halfH)
	// The isthmus is a saddle on the front of the trachea, between the lobes' lower halves.
	saddle := min(n.isthmus+st.trachea, 0.9*n.lobeX-math.Abs(X))
	st.isthmus = min(saddle, n.tracheaZ-z-0.45*n.trachea, (0.45*n.halfL-math.Abs(y+0.15*n.halfL))*0.5)
	st.gland = min(max(st.lobe, st.isthmus), -st.trachea-0.5)
	st.vessel = n.carotid - math.Hypot(X-n.carotidX, z-n.carotidZ)
	ju, jv := (X-n.carotidX-n.carotid-n.jugular-1)/1.3, (z-n.carotidZ+2.5)*1.4
	st.vessel = max(st.vessel, n.jugular-math.Hypot(ju, jv))
	return st
}

func (n *neck) at(y float64) view {
	return &neckView{neck: n, c: cut{y: y}, malignant: nearLesions(n.lesions, y), benign: nearLesions(n.Patient.benign, y)}
}

// neckView is a cut through the neck.
type neckView struct {
	*neck
	c                 cut // only its elevation is read by the nodules' shapes
	malignant, benign []*lesion
	st                site
}

func (v *neckView) tissue(x, z, ragged float64) (m mix, fluidMM, gel float64) {
	X := v.lateral(x)
	at := v.locate(X, v.c.y, z)
	m = mix(v.muscle)
	// From the skin inwards: fat, straps; the sternocleidomastoid covers the sheath beside the lobe.
	m.add(&v.tFat, v.sheath(X, z))
	m.add(&v.tFat, smoothstep(v.fat+fasciaMM, v.fat-fasciaMM, z))
	m.add(&v.tSkin, smoothstep(v.skin+0.2, v.skin-0.2, z))
	m.add(&v.thyroid, smoothstep(-fasciaMM, fasciaMM, at.gland))
	if at.gland > -1 {
		v.st = site{capsule: at.gland, tz: farMM, cz: farMM, afms: farMM, urethra: farMM}
		for _, l := range v.benign {
			if q := l.q(&v.c, &v.st, x, z); q < 2 {
				share := l.share(&v.st, q, 0)
				m.addLesion(l, share, share)
			}
		}
		for _, l := range v.malignant {
			if q := l.q(&v.c, &v.st, x, z); q < 2 {
				m.addLesion(l, l.share(&v.st, q, ragged), l.share(&v.st, q, ragged))
			}
		}
	}
	m.add(&v.cartilage, smoothstep(-0.3, 0.3, at.trachea))
	if air := smoothstep(-0.2, 0.2, at.trachea-tracheaWallMM); air > 0 {
		m.echoDB += air * (lowestAirDB - m.echoDB)
		m.atten += air * (airAtten - m.atten)
	}
	m.add(&v.vessel, smoothstep(-vesselWallMM-0.2, -vesselWallMM+0.2, at.vessel))
	fluidMM = at.vessel
	for _, b := range v.cysts {
		fluidMM = max(fluidMM, b.depth(x, v.c.y, z))
	}
	return m, max(fluidMM, -50), 0
}

// sheath is the share of loose tissue around the vessels.
func (n *neck) sheath(X, z float64) float64 {
	return 0.8 * smoothstep(n.carotid+7, n.carotid+2, math.Hypot(0.8*(X-n.carotidX-2), z-n.carotidZ))
}

func (n *neck) inCouplant(float64, float64) bool { return false }

// neckFields are the implicit functions behind a neck's label map, on a lattice.
type neckFields struct {
	gland, lobe, trachea, vessel []float32
	benign, malignant            [][]float32 // 1-q
}

func (n *neck) fields(l workGrid, at position) neckFields {
	size := l.size()
	f := neckFields{make([]float32, size), make([]float32, size), make([]float32, size), make([]float32, size),
		make([][]float32, len(n.Patient.benign)), make([][]float32, len(n.lesions))}
	for _, group := range [][][]float32{f.benign, f.malignant} {
		for k := range group {
			group[k] = make([]float32, size)
		}
	}
	i := 0
	for _, z := range l.zs {
		for _, x := range l.xs {
			px, py, pz := at(i, x, z)
			st := n.locate(n.lateral(px), py, pz)
			f.gland[i], f.lobe[i] = float32(st.gland), float32(st.lobe)
			f.trachea[i], f.vessel[i] = float32(st.trachea), float32(st.vessel)
			c, s := cut{y: py}, site{capsule: st.gland}
			for k := range n.Patient.benign {
				f.benign[k][i] = float32(max(1-n.Patient.benign[k].q(&c, &s, px, pz), -1))
			}
			for k := range n.lesions {
				f.malignant[k][i] = float32(max(1-n.lesions[k].q(&c, &s, px, pz), -1))
			}
			i++
		}
	}
	return f
}

func (f neckFields) upsample(l workGrid, g Grid) neckFields {
	up := neckFields{l.upsample(g, f.gland), l.upsample(g, f.lobe), l.upsample(g, f.trachea), l.upsample(g, f.vessel), nil, nil}
	for _, q := range f.benign {
		up.benign = append(up.benign, l.upsample(g, q))
	}
	for _, q := range f.malignant {
		up.malignant = append(up.malignant, l.upsample(g, q))
	}
	return up
}

// labels turns the fields into a label map: nodules cover the gland, malignant ones all else.
func (f neckFields) labels() []uint8 {
	out := make([]uint8, len(f.gland))
	for i, depth := range f.gland {
		if depth <= 0 {
			continue
		}
		if out[i] = LabelIsthmus; f.lobe[i] > 0 {
			out[i] = LabelThyroid
		}
		for _, q := range f.benign {
			if q[i] > 0 {
				out[i] = LabelNodule
			}
		}
		for k, q := range f.malignant {
			if q[i] > 0 {
				out[i] = LabelFocus + uint8(k)
			}
		}
	}
	return out
}

func (n *neck) histology(s *Section, l workGrid, plane int) func(fluidMM []float32) {
	y := n.planeY[plane]
	fields := n.fields(l, func(_ int, x, z float64) (float64, float64, float64) { return x, y, z }).upsample(l, s.Grid)
	s.Labels = fields.labels()
	lobe := (n.probe - n.lobeX) * n.medial
	off := n.registeredAbout(plane, l, lobe, n.lobeZ)
	s.LabelsRegistered = n.fields(l, func(i int, x, z float64) (float64, float64, float64) {
		px, py, pz := off(i, x, z)
		return px + lobe, py, pz
	}).upsample(l, s.Grid).labels()
	return func(fluidMM []float32) { n.reflectors(s, fields, fluidMM) }
}

// reflectors draws the coherent boundaries of the plane.
func (n *neck) reflectors(s *Section, f neckFields, fluidMM []float32) {
	always := func(int) bool { return true }
	depth := make([]float32, len(f.gland))
	layer := func(at float64, strengthDB float32, keep func(i int) bool) {
		for i := range depth {
			depth[i] = float32(s.Grid.DepthMM(i/s.Grid.Width) - at)
		}
		s.addReflector(depth, strengthDB, keep)
	}
	layer(n.skin, wallReflectorDB, always)
	layer(n.fat, capsuleReflectorDB, always)
	// Fascia between the straps and, in front of longus colli, behind the gland; both bowed.
	for _, fascia := range []struct{ at, bow float64 }{{(n.fat + n.top) / 2, 0.002}, {n.lobeZ + n.halfH + 2.5, -0.004}} {
		for i := range depth {
			X := n.lateral(s.Grid.LateralMM(i%s.Grid.Width)) - n.lobeX
			depth[i] = float32(s.Grid.DepthMM(i/s.Grid.Width) - fascia.at - fascia.bow*X*X)
		}
		s.addReflector(depth, surgicalReflectorDB, func(i int) bool { return f.gland[i] < -0.5 && f.trachea[i] < 0 && f.vessel[i] < -1 })
	}
	s.addReflector(f.gland, capsuleReflectorDB, always)
	s.addReflector(fluidMM, cystReflectorDB, always)
	for i, v := range f.trachea {
		s.Fluid[i] = s.Fluid[i] || v > tracheaWallMM
	}
	// The air column's face, and its reverberations: copies of the wall, 4 dB weaker each (assumption).
	for bounce := range 5 {
		at := float32(tracheaWallMM * float64(bounce+1))
		for i, v := range f.trachea {
			depth[i] = v - at
		}
		s.addReflector(depth, airReflectorDB-4*float32(bounce), func(i int) bool {
			return s.Grid.DepthMM(i/s.Grid.Width) < n.tracheaZ
		})
	}
}
