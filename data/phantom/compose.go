package phantom

import "math"

// mix is the tissue at a point while it is put together: each later tissue or lesion replaces a
// share of what is there.
type mix struct {
	lnKPa, withinLogSD float64
	echoDB, echoSD     float64
	atten, lnShape     float64
}

func (m *mix) add(t *tissueState, share float64) {
	if share <= 0 {
		return
	}
	m.lnKPa += share * (t.lnKPa - m.lnKPa)
	m.withinLogSD += share * (t.withinLogSD - m.withinLogSD)
	m.echoDB += share * (t.echoDB - m.echoDB)
	m.echoSD += share * (t.echoSD - m.echoSD)
	m.atten += share * (t.atten - m.atten)
	m.lnShape += share * (t.lnShape - m.lnShape)
}

// addLesion replaces a share of the stiffness, and a share of its own of what B-mode shows.
func (m *mix) addLesion(l *lesion, stiff, seen float64) {
	m.lnKPa += stiff * (l.lnKPa - m.lnKPa)
	m.withinLogSD += stiff * (l.withinLogSD - m.withinLogSD)
	m.echoDB += seen * l.contrastDB
	m.echoSD += seen * (l.graininess - 1) * m.echoSD
	m.atten += seen * l.extraAtten
	m.lnShape += seen * (l.lnShape - m.lnShape)
}

// noise is the millimetre-scale randomness of one elevation slice, on the work lattice.
type noise struct {
	stroma, cells, inflam, lumenOwn []float32
	stiffnessOwn, echoOwn           []float32
	textureOwn, ragged              []float32
}

// fill evaluates the fields at elevation y.
func (n *noise) fill(p *Patient, l workGrid, y float64) {
	rl := &p.recipe.Latents
	sum := max(rl.CoarseShare+rl.FineShare, 1e-9)
	octaves := []octave{{rl.CoarseMM, math.Sqrt(rl.CoarseShare / sum)}, {rl.FineMM, math.Sqrt(rl.FineShare / sum)}}
	for _, f := range []struct {
		dst  *[]float32
		name string
	}{
		{&n.stroma, "latents/stroma"}, {&n.cells, "latents/cells"}, {&n.inflam, "latents/inflammation"},
		{&n.lumenOwn, "latents/lumen"}, {&n.stiffnessOwn, "stiffness/tissue"}, {&n.echoOwn, "echo/tissue"},
		{&n.textureOwn, "texture/tissue"},
	} {
		if *f.dst == nil {
			*f.dst = make([]float32, l.size())
		}
		p.streams.field(f.name, octaves...).slice(*f.dst, y, l.zs, l.xs)
	}
	if n.ragged == nil {
		n.ragged = make([]float32, l.size())
	}
	p.streams.field("tumours/ragged", octave{1.1, 1}).slice(n.ragged, y, l.zs, l.xs)
}

// tissueSlice is one elevation slice of tissue on the work lattice.
type tissueSlice struct {
	kPa, power     []float32 // power is backscatter relative to normal PZ, linear
	atten, lnShape []float32
	fluidMM        []float32 // signed depth inside urine, cyst or vessel
}

func newTissueSlice(n int) tissueSlice {
	buf := make([]float32, 5*n)
	return tissueSlice{buf[:n], buf[n : 2*n], buf[2*n : 3*n], buf[3*n : 4*n], buf[4*n:]}
}

const (
	fluidKPa         = 1.0   // no shear modulus to speak of; Section.Fluid says not to use it
	fluidEchoDB      = -45.0 // anechoic
	fluidAtten       = 0.02
	bladderWallMM    = 3.0
	couplantEchoDB   = -30.0
	zoneTransitionMM = 0.6 // half-width of a zone's edge
)

// evaluate works out the tissue at elevation y.
func (p *Patient) evaluate(out *tissueSlice, n *noise, l workGrid, y float64) {
	n.fill(p, l, y)
	rl := &p.recipe.Latents
	spread := math.Sqrt(1 - rl.PatientShare)
	at := p.body.at(y)
	i := 0
	for _, z := range l.zs {
		for _, x := range l.xs {
			m, fluid, gel := at.tissue(x, z, float64(n.ragged[i]))
			s, cells, inflam := float64(n.stroma[i]), float64(n.cells[i]), float64(n.inflam[i])
			lum := lumen(s, cells, float64(n.lumenOwn[i]))
			lnKPa := m.lnKPa + m.withinLogSD*rl.stiffness(s, cells, inflam, float64(n.stiffnessOwn[i]))
			echo := m.echoDB + m.echoSD*rl.echo(s, inflam, lum, float64(n.echoOwn[i]))
			shape := m.lnShape + spread*(rl.StromaToTexture*s+rl.LumenToTexture*lum) + rl.TextureLogSD*float64(n.textureOwn[i])
			if wet := smoothstep(-0.2, 0.2, fluid); wet > 0 {
				lnKPa += wet * (math.Log(fluidKPa) - lnKPa)
				echo += wet * (fluidEchoDB - echo)
				m.atten += wet * (fluidAtten - m.atten)
			}
			if gel > 0 {
				lnKPa += gel * (math.Log(fluidKPa) - lnKPa)
				echo += gel * (couplantEchoDB - echo)
				m.atten += gel * (fluidAtten - m.atten)
			}
			out.kPa[i] = float32(math.Exp(lnKPa))
			out.power[i] = float32(math.Exp(echo * math.Ln10 / 10))
			out.atten[i] = float32(m.atten)
			out.lnShape[i] = float32(shape)
			out.fluidMM[i] = float32(fluid)
			i++
		}
	}
}

// tissueAt blends the benign tissues at a point.
func (p *Patient) tissueAt(c *cut, st *site, x, z float64) mix {
	t := &p.tissues
	m := mix(t[inFat])
	if st.capsule < c.blur {
		p.surroundings(&m, c, st, x, z)
	}
	inside := smoothstep(-c.blur, c.blur, st.capsule)
	if inside > 0 {
		const e = zoneTransitionMM
		g := mix(t[inPZ])
		g.add(&t[inCZ], smoothstep(-2*e, 2*e, st.cz)) // histology tells CZ from PZ; its edge is gradual
		g.add(&t[inTZ], smoothstep(-e, e, st.tz))
		g.add(&t[inAFMS], smoothstep(-2, 1, st.afms))
		g.add(&t[inUrethra], 0.7*smoothstep(-2.2, 0.2, st.urethra)) // periurethral muscle
		all := tissueState(g)
		m.add(&all, inside)
	}
	p.rectalWall(&m, x, z)
	return m
}

// surroundings puts muscle, vesicles, bladder and veins into the fat around the gland.
func (p *Patient) surroundings(m *mix, c *cut, st *site, x, z float64) {
	t := &p.tissues
	ax := math.Abs(x)
	outside := -st.capsule
	// Levator ani runs past the sides of the gland; obturator internus lies further out.
	bow := z - c.zc
	inner := c.w*1.04 + 3.4 - 0.016*bow*bow + 0.5*math.Sin(0.17*z+sign(x)*1.1+0.05*c.y)
	low := smoothstep(c.zc+1.3*c.h, c.zc+0.8*c.h, z) * smoothstep(0.5, 1.2, outside)
	m.add(&t[inMuscle], low*smoothstep(-c.blur, c.blur, ax-inner)*smoothstep(c.blur, -c.blur, ax-inner-4.2))
	m.add(&t[inMuscle], smoothstep(-0.8, 0.8, ax-inner-7+min(0.02*bow*bow, 6))*smoothstep(5, 11, z))
	// Dorsal veins and loose tissue in front of mid-gland and apex.
	if c.t < 0.35 {
		du, dv := x/(0.5*c.halfW), (z-c.zc-c.h-3.2)/3
		if share := 0.8 * smoothstep(1.2, 0.7, math.Sqrt(du*du+dv*dv)); share > 0 {
			veins := t[inFat]
			veins.echoDB -= 6
			m.add(&veins, share)
		}
	}
	m.add(&t[inSeminal], smoothstep(-0.4, 0.4, st.seminal))
	if st.seminal > 0.2 { // convoluted lumen
		m.echoDB -= 3.5 * (0.5 + 0.5*math.Sin(2.1*x+1.5*math.Sin(1.3*c.y+0.9*z)))
	}
	if st.bladder > -1 {
		m.add(&t[inBladderWall], smoothstep(-0.5, 0.5, st.bladder))
	}
}

// rectalWall lays the wall and its five sonographic layers along the probe's radius.
func (p *Patient) rectalWall(m *mix, x, z float64) {
	depth := p.gland.probeDepth(x, z) - p.gland.couplant
	if depth > p.gland.wall+0.5 {
		return
	}
	m.add(&p.tissues[inRectalWall], smoothstep(p.gland.wall+0.3, p.gland.wall-0.3, depth))
	if f := depth / p.gland.wall; f > 0 && f < 1 {
		m.echoDB += 3.2 * math.Cos(4*math.Pi*f) // interface, muscularis mucosae, submucosa, muscularis propria, fat
	}
}

// fluidDepth is the signed depth, mm, inside urine, a cyst or a vessel.
func (p *Patient) fluidDepth(c *cut, st *site, x, z float64) float64 {
	depth := math.Inf(-1)
	if st.capsule < 0 {
		depth = min(st.bladder-bladderWallMM, -st.capsule-0.5)
		// Neurovascular bundles, at five and seven o'clock.
		if c.s > 0.4 {
			dx, dz := math.Abs(x)-0.72*c.w-1.4, z-(c.zc-0.80*c.h)+1.6+0.8*c.lift
			depth = max(depth, 0.65-math.Sqrt(dx*dx+dz*dz))
			depth = max(depth, 0.45-math.Sqrt((dx+1.5)*(dx+1.5)+(dz+0.5)*(dz+0.5)))
		}
	} else if p.resectionMM > 0 && c.t > 0 {
		r := p.resectionMM * smoothstep(0.02, 0.8, c.t)
		depth = max(depth, r-math.Hypot(x-c.urethraX, (z-c.urZ)*0.9)-0.3)
	}
	for _, b := range p.cysts {
		depth = max(depth, b.depth(x, c.y, z))
	}
	return max(depth, -50)
}

// nearLesions picks those that elevation y can meet.
func nearLesions(all []lesion, y float64) []*lesion {
	var near []*lesion
	for i := range all {
		if all[i].near(y) {
			near = append(near, &all[i])
		}
	}
	return near
}
