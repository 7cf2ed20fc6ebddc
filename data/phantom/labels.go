package phantom

import "math"

// position tells where in the gland's frame the tissue shown at point i (x, z) of a lattice lies, mm.
type position func(i int, x, z float64) (px, py, pz float64)

// tiltStepMM is how finely a tilted plane is followed: cuts are shared by points nearer than this.
const tiltStepMM = 0.02

// labelFields are the implicit functions behind a label map, on the work lattice.
type labelFields struct {
	capsule, tz, cz, afms, urethra, bladder []float32
	foci                                    [][]float32 // 1-q of each focus; nil where it is not near
}

// labelFields evaluates zones and foci at the positions of the lattice's points.
func (p *Patient) labelFields(l workGrid, at position) labelFields {
	n := l.size()
	buf := make([]float32, 6*n)
	f := labelFields{buf[:n], buf[n : 2*n], buf[2*n : 3*n], buf[3*n : 4*n], buf[4*n : 5*n], buf[5*n:], make([][]float32, len(p.lesions))}
	cuts := map[int]*cut{}
	var st site // one for all points: it escapes through the shapes' interface
	i := 0
	for _, z := range l.zs {
		for _, x := range l.xs {
			px, py, pz := at(i, x, z)
			c := cuts[int(math.Round(py/tiltStepMM))]
			if c == nil {
				made := p.gland.cut(py)
				c = &made
				cuts[int(math.Round(py/tiltStepMM))] = c
			}
			st = c.locate(px, pz)
			f.capsule[i], f.tz[i], f.cz[i] = float32(st.capsule), float32(st.tz), float32(st.cz)
			f.afms[i], f.urethra[i], f.bladder[i] = float32(st.afms), float32(st.urethra), float32(st.bladder)
			if st.capsule > -1 {
				for k := range p.lesions {
					if !p.lesions[k].near(py) {
						continue
					}
					q := p.lesions[k].q(c, &st, px, pz)
					if q < 1.6 && f.foci[k] == nil {
						f.foci[k] = make([]float32, n)
						for j := range f.foci[k] {
							f.foci[k][j] = -1
						}
					}
					if f.foci[k] != nil {
						f.foci[k][i] = float32(max(1-q, -1))
					}
				}
			}
			i++
		}
	}
	return f
}

// upsample brings the fields to the grid.
func (f labelFields) upsample(l workGrid, g Grid) labelFields {
	up := labelFields{
		l.upsample(g, f.capsule), l.upsample(g, f.tz), l.upsample(g, f.cz),
		l.upsample(g, f.afms), l.upsample(g, f.urethra), l.upsample(g, f.bladder), make([][]float32, len(f.foci)),
	}
	for k, q := range f.foci {
		if q != nil {
			up.foci[k] = l.upsample(g, q)
		}
	}
	return up
}

// labels turns the fields into a label map; a focus covers its zone, but not the urethra.
func (f labelFields) labels() []uint8 {
	out := make([]uint8, len(f.capsule))
	for i, depth := range f.capsule {
		if depth <= 0 {
			continue
		}
		if f.urethra[i] > 0 { // tumours spare it
			out[i] = LabelUrethra
			continue
		}
		switch {
		case f.afms[i] > 0:
			out[i] = LabelAFMS
		case f.tz[i] > 0:
			out[i] = LabelTZ
		case f.cz[i] > 0:
			out[i] = LabelCZ
		default:
			out[i] = LabelPZ
		}
		for k, q := range f.foci {
			if q != nil && q[i] > 0 {
				out[i] = LabelFocus + uint8(k)
			}
		}
	}
	return out
}

// registered is where histopathology of plane number k comes from after registration.
func (p *Patient) registered(k int, l workGrid) position {
	c := p.gland.cut(p.planeY[k])
	return p.registeredAbout(k, l, p.gland.shift, c.zc)
}

// registeredAbout registers a block cut at another height and tilt, shrunken by more or less than was
// corrected for, warped in-plane; it turns and shrinks about an axis at that place in the image, mm.
// Positions are relative to the axis laterally.
func (p *Patient) registeredAbout(k int, l workGrid, xc, zc float64) position {
	rr, name, y := p.recipe.Registration, p.recipe.Planes.Names[k], p.planeY[k]
	rng := p.streams.rand("registration/" + name)
	tilt := math.Tan(rr.MaxTiltDegrees * math.Pi / 180 * rng.Float64())
	tiltZ, tiltX := math.Sincos(2 * math.Pi * rng.Float64()) // it may lean any way
	tiltX, tiltZ = tilt*tiltX, tilt*tiltZ
	offset := rr.MaxOffsetMM * (2*rng.Float64() - 1)
	// The section was enlarged by the nominal shrinkage; what is left is a small scale error.
	scale := (1 - rr.CorrectedPercent/100) / (1 - rr.ShrinkagePercent.draw(rng)/100)
	size := rr.WarpMM.draw(rng) / math.Sqrt2 // rms of each component; the total is WarpMM
	warp := func(axis string) []float32 {
		w := make([]float32, l.size())
		p.streams.field("registration/warp"+axis+"/"+name, octave{rr.WarpScaleMM, 1}).slice(w, 0, l.zs, l.xs)
		return w
	}
	warpX, warpZ := warp("X"), warp("Z")
	return func(i int, x, z float64) (float64, float64, float64) {
		px := (x-xc)*scale + size*float64(warpX[i])
		pz := zc + (z-zc)*scale + size*float64(warpZ[i])
		return px, y + offset + tiltX*(x-xc) + tiltZ*(z-zc), pz
	}
}
