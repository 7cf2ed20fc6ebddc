package phantom

import (
	"math"
	"math/rand/v2"
)

// anatomy is the shape of one gland and its zones, as implicit functions of position. Lengths in mm,
// x from the gland's own mid-line, which lies shift beside the probe's.
type anatomy struct {
	volumeML, ageYears float64

	halfW, halfH, halfL float64 // semi-axes of the widest axial section, and along y
	posteriorZ          float64 // depth of the posterior surface beside the mid-line
	dent                float64 // further depth of it on the mid-line, where the probe presses
	couplant, wall      float64 // layers along the probe's radius
	probeRadius         float64

	ripple [4]ripple // low-order irregularity of the outline

	pzThickness  float64 // behind the TZ, on the posterolateral side
	tzHalfW      float64
	tzHalfH      float64
	tzHalfT      float64 // extent along y in half-lengths, around tzMidT
	tzNotch      float64 // depth of the posterior groove between the lobes
	tzAsym       float64 // left-right asymmetry of the lobes
	urethraX     float64
	bladderShift float64
	bladderFill  float64
	shift        float64 // lateral offset of the gland's frame from the probe's
}

// ripple is one harmonic of the outline around the gland's axis; its phase drifts along y.
type ripple struct{ amplitude, phase, drift float64 }

const (
	tzMidT       = 0.18 // the TZ lies between verumontanum and bladder neck
	outlinePower = 2.5  // of the superellipses: squarer than an ellipse, as glands are
)

// drawAnatomy draws size and shape. The patient's stroma is returned too, because stiffness,
// texture and attenuation follow it, and it follows volume.
func (r Recipe) drawAnatomy(s streams) (a anatomy, stroma float64) {
	rng := s.rand("anatomy")
	ra := r.Anatomy
	a.ageYears = ra.AgeYears.draw(rng)
	a.volumeML = ra.VolumeML.draw(rng)
	volumeZ := min(max(math.Log(a.volumeML/ra.VolumeML.Median)/max(ra.VolumeML.LogSD, 1e-9), -3), 3)
	c := r.Latents.VolumeToStroma
	stroma = c*volumeZ + math.Sqrt(1-c*c)*s.rand("latents/patient/stroma").NormFloat64()

	a.couplant, a.wall, a.probeRadius = ra.CouplantMM.draw(rng), ra.RectalWallMM.draw(rng), ra.ProbeRadiusMM
	a.dent = ra.DentMM.draw(rng)
	a.posteriorZ = a.couplant + a.wall + 0.5 + 0.5*rng.Float64() - a.dent
	for k := range a.ripple {
		a.ripple[k] = ripple{0.016 * rng.NormFloat64(), 2 * math.Pi * rng.Float64(), 1.5 * rng.NormFloat64()}
	}
	a.size(ra.WidthToHeight.draw(rng), ra.LengthToHeight.draw(rng), ra.MaxHeightMM, ra.MaxWidthMM)
	a.zones(ra, rng)
	return a, stroma
}

// size solves the semi-axes for the volume, within what fits the field of view.
func (a *anatomy) size(widthRatio, lengthRatio, maxH, maxW float64) {
	fill := a.fillFactor()
	mm3 := a.volumeML * 1000
	h := math.Cbrt(mm3 / (fill * widthRatio * lengthRatio))
	w, l := h*widthRatio, h*lengthRatio
	if h > maxH/2 {
		grow := math.Sqrt(h / (maxH / 2))
		h, w, l = maxH/2, w*grow, l*grow
	}
	if w > maxW/2 {
		l *= w / (maxW / 2)
		w = maxW / 2
	}
	a.halfH, a.halfW, a.halfL = h, w, l
}

// fillFactor is the volume of the gland with unit semi-axes, by quadrature. Every axial section is
// the same shape scaled by profile(t), so its area needs computing once.
func (a *anatomy) fillFactor() float64 {
	const n = 64
	unit := anatomy{halfW: 1, halfH: 1, halfL: 1, dent: a.dent / 14, ripple: a.ripple}
	unit.posteriorZ = 0
	cut := unit.cut(0)
	inside := 0
	for i := range n {
		for j := range n {
			u, v := 2.6*(float64(j)+0.5)/n-1.3, 2.6*(float64(i)+0.5)/n-1.3
			if rho, _, _ := cut.outline(u*cut.w, cut.zc+v*cut.h); rho < 1 {
				inside++
			}
		}
	}
	area := float64(inside) * (2.6 / n) * (2.6 / n) / (profile(0) * profile(0))
	length := 0.0
	for i := range 200 {
		s := profile(-1 + 2*(float64(i)+0.5)/200)
		length += s * s * 2 / 200
	}
	return area * length
}

// profile is the relative size of the axial section at t: blunt at the base, tapering to the apex.
func profile(t float64) float64 {
	p := 3.0
	if t < 0 {
		p, t = 1.7, -t
	}
	if t >= 1 {
		return 0
	}
	return math.Pow(1-math.Pow(t, p), 1/p)
}

// zones places the transition zone so that it fills its share of the gland behind the peripheral
// zone that was drawn.
func (a *anatomy) zones(ra AnatomyRecipe, rng *rand.Rand) {
	thick := ra.PZThicknessMM
	thick.Mean -= ra.PZThinningMMPerML * (a.volumeML - 25)
	a.pzThickness = min(max(thick.Mean+thick.SD*rng.NormFloat64(), thick.Min), min(thick.Max, 0.8*a.halfH))
	share := ra.TZShareBase + ra.TZShareGrowth*(1-math.Exp(-(a.volumeML-20)/35)) + ra.TZShareSD*rng.NormFloat64()
	share = min(max(share, 0.1), 0.65)

	a.tzHalfT = 0.62 + 0.2*share
	a.tzHalfH = max((2*a.halfH-a.pzThickness-2.5)/2, 4)
	// Volume of the TZ for unit half-width: superellipse area 3.4·a·b, swept along y.
	sweep := 1.45 * a.tzHalfT * a.halfL
	a.tzHalfW = min(share*a.volumeML*1000/(3.4*a.tzHalfH*sweep), 0.84*a.halfW)
	if low := 0.35 * a.halfW; a.tzHalfW < low { // small TZ: shrink it in height instead
		a.tzHalfH = max(a.tzHalfH*a.tzHalfW/low, 4)
		a.tzHalfW = low
	}
	a.tzNotch = (0.18 + 0.2*rng.Float64()) * a.tzHalfH
	a.tzAsym = 0.07 * rng.NormFloat64()
	a.urethraX = 0.6 * rng.NormFloat64()
	a.bladderShift = 1.5 * rng.NormFloat64()
	a.bladderFill = ra.BladderFill.draw(rng)
	a.shift = ra.ShiftMM.draw(rng)
}

// cut is the anatomy at one elevation, with all that depends on y alone worked out.
type cut struct {
	*anatomy
	y, t, s       float64
	w, h, zc      float64 // semi-axes and centre depth of the outline
	dentHere      float64
	posterior     float64 // depth of the posterior surface on the mid-line
	cosP, sinP    [4]float64
	tzA, tzB, tzZ float64 // semi-axes and centre depth of the TZ; 0 where there is none
	czA, czB, czZ float64 // semi-axes and centre depth of the central zone; czA is 0 where there is none
	urZ, urA, urB float64 // centre depth and semi-axes of the urethra
	afmsHalf      float64
	lift          float64 // room the seminal vesicles take behind the base
	blur          float64 // half-width of the capsule's edge: wider where the surface runs oblique to the plane
}

// cut works out the section at elevation y. Beyond the poles it is empty: s is 0.
func (a *anatomy) cut(y float64) cut {
	t := y / a.halfL
	c := cut{anatomy: a, y: y, t: t, s: profile(t)}
	c.lift = 4.5 * smoothstep(0.35, 0.85, t)
	size := max(c.s, 0.05)
	c.w, c.h = a.halfW*size, a.halfH*size
	c.zc = a.posteriorZ + c.lift + c.h
	c.dentHere = a.dent * size
	c.posterior = c.zc - c.h + c.dentHere
	for k, r := range a.ripple {
		c.sinP[k], c.cosP[k] = math.Sincos(r.phase + r.drift*t)
	}
	if q := math.Abs(t-tzMidT) / max(a.tzHalfT, 1e-6); q < 1 && c.s > 0 {
		f := math.Pow(1-math.Pow(q, outlinePower), 1/outlinePower)
		// The TZ keeps behind the PZ and within the outline.
		room := (2*c.h - c.dentHere - 2.2) / 2
		c.tzB = min(a.tzHalfH*f, max(room-0.15*a.pzThickness, 1))
		c.tzA = min(a.tzHalfW*f, 0.88*c.w)
		front := c.zc + c.h*0.84
		c.tzZ = min(c.posterior+a.pzThickness*(0.45+0.45*c.s)+c.tzB, front-c.tzB)
	}
	// The urethra bends by some 35° at the verumontanum.
	fraction := 0.46 + 0.08*max(-t, 0)
	if t > 0 {
		fraction += 0.26 * math.Pow(t, 1.3)
	}
	c.urZ = c.zc - c.h + 2*c.h*fraction
	veru := math.Exp(-t * t / 0.03)
	c.urA, c.urB = 2.3+1.1*veru, 2.1
	c.afmsHalf = c.w * (0.44 + 0.06*t)
	// The central zone surrounds the ejaculatory ducts, from the verumontanum to all of the back of the base.
	c.czA = 0.62 * c.w * smoothstep(0.10, 0.62, t)
	c.czB = (c.urZ - c.posterior) * 0.62
	c.czZ = c.posterior + 0.5*(c.urZ-c.posterior)
	c.blur = 0.3 + 0.45*math.Abs(profile(t+0.02)-profile(t-0.02))/0.04*max(a.halfW, 1.6*a.halfH)/a.halfL
	return c
}

// outline gives ρ, below 1 inside the gland, and the normalised position in it.
func (c *cut) outline(x, z float64) (rho, u, v float64) {
	v0 := (z - c.zc) / c.h
	k := min(max(v0, -1.2), 1.2)
	// Posterior surface pushed in by the probe on the mid-line.
	if k < 0.2 {
		q := x / (0.45 * c.w)
		v0 -= c.dentHere / c.h * gauss(q*q) * smoothstep(0.2, -0.9, k)
	}
	u = x / (c.w * (1.02 - 0.15*k - 0.09*k*k)) // wide behind, narrow in front
	v = v0
	rho = superellipse(u, v)
	// Ripples 2 to 5 of the angle, by the addition theorem: no trigonometry per pixel.
	if r2 := u*u + v*v; r2 > 1e-6 {
		n := 1 / math.Sqrt(r2)
		c1, s1 := u*n, v*n
		ck, sk := c1, s1
		wave := 1.0
		for i := range c.ripple {
			ck, sk = ck*c1-sk*s1, sk*c1+ck*s1
			wave += c.ripple[i].amplitude * (ck*c.cosP[i] - sk*c.sinP[i])
		}
		rho *= wave
	}
	return rho, u, v
}

// site is where a point lies in the gland. Depths are signed, in mm, positive inside; they are
// exact at the boundaries' zero and approximate away from it.
type site struct {
	capsule               float64 // below the capsule
	tz, cz, afms, urethra float64
	seminal, bladder      float64 // inside the seminal vesicles; inside the bladder's outer wall
	u, v                  float64 // normalised position across the gland, ±1 at the capsule
}

const farMM = -99.0 // signed depth of what is not in this cut

// locate finds a point in the anatomy.
func (c *cut) locate(x, z float64) site {
	// Well outside, only the distance to the gland's box matters, and only roughly.
	if d := max(math.Abs(x)-1.25*c.w, math.Abs(z-c.zc)-1.25*c.h); d > 1 {
		return site{
			capsule: -5 - d, tz: farMM, cz: farMM, afms: farMM, urethra: farMM,
			seminal: farMM, bladder: c.bladderDepth(x, z), u: x / c.w, v: (z - c.zc) / c.h,
		}
	}
	rho, u, v := c.outline(x, z)
	st := site{u: u, v: v, tz: farMM, cz: farMM, afms: farMM, urethra: farMM, seminal: farMM, bladder: farMM}
	// Radial distance to the outline, turned into a normal distance by the mean obliqueness.
	dx, dz := x, z-c.zc
	st.capsule = (1 - rho) * 0.92 * math.Sqrt(dx*dx+dz*dz+1) / max(rho, 0.08)
	if c.s <= 0.05 {
		st.capsule = min(st.capsule, -(0.05-c.s)*20-max(math.Abs(c.y)-c.halfL, 0))
	}
	st.bladder = c.bladderDepth(x, z)
	if st.capsule < -1 {
		st.seminal = c.seminalDepth(x, z, st.capsule)
		return st
	}
	if c.tzA > 0 {
		q := x / (0.28 * c.tzA)
		g := gauss(q * q)
		zt := z - c.tzZ
		side := smoothstep(0.3, -0.9, zt/c.tzB)
		vt := (zt - c.tzNotch*g*side*c.tzB/c.tzHalfH + 0.06*c.tzB*g*(1-side)) / c.tzB
		ut := x / (c.tzA * (1 + c.tzAsym*sign(x)))
		st.tz = (1 - superellipse(ut, vt)) * min(c.tzA, c.tzB)
	}
	if c.czA > 1 {
		// In front of a thin sheet of PZ, widest behind.
		wide := c.czA * (1 - 0.25*(z-c.czZ)/c.czB)
		st.cz = min((1-superellipse(x/max(wide, 1), (z-c.czZ)/c.czB))*min(c.czA, c.czB), st.capsule-1.2)
	}
	if edge := 1 - (x/c.afmsHalf)*(x/c.afmsHalf); edge > -1 {
		st.afms = (v - 1 + 0.33*edge) * c.h * 0.9
	}
	du, dv := (x-c.urethraX)/c.urA, (z-c.urZ)/c.urB
	if c.s > 0.05 {
		st.urethra = (1 - math.Sqrt(du*du+dv*dv)) * min(c.urA, c.urB)
	}
	return st
}

// seminalDepth is the depth inside the seminal vesicles, which fill the space between rectum and
// base as a bow tie.
func (c *cut) seminalDepth(x, z, capsule float64) float64 {
	if c.lift < 0.8 || z > c.zc {
		return farMM
	}
	ax := math.Abs(x)
	thick := c.lift * (0.75 - 0.35*smoothstep(0.55, 1, ax/(0.8*c.w))) // outside the capsule
	belly := min(-capsule-0.5, thick-(-capsule))
	ends := (0.82*c.w - ax) * 0.5
	return min(min(belly, ends), (ax+0.4)*0.7)
}

// bladderDepth is the depth inside the bladder's outer surface, which sits in front of the base.
func (c *cut) bladderDepth(x, z float64) float64 {
	rise := smoothstep(0.30, 1.0, c.t)
	if rise <= 0 {
		return farMM
	}
	a, b := c.halfW*(0.6+0.5*rise)*(0.4+0.6*c.bladderFill), c.halfH*(0.3+0.9*rise)*c.bladderFill
	z0 := c.zc + c.h*0.88 + b - 3.5*rise + c.bladderShift*0.5
	return (1 - superellipse((x-c.bladderShift)/a, (z-z0)/b)) * min(a, b)
}

// probeDepth is the distance from the probe's face along its radius, mm; x is in the gland's frame.
func (a *anatomy) probeDepth(x, z float64) float64 {
	x, z = x+a.shift, z+a.probeRadius
	return math.Sqrt(x*x+z*z) - a.probeRadius
}

// superellipse is (|u|^p+|v|^p)^(1/p) with p = 2.5, spelt with square roots for speed.
func superellipse(u, v float64) float64 {
	u, v = math.Abs(u), math.Abs(v)
	sum := u*u*math.Sqrt(u) + v*v*math.Sqrt(v)
	if sum < 1e-12 {
		return 0
	}
	return math.Exp(math.Log(sum) / outlinePower) // half the cost of math.Pow
}

// smoothstep rises from 0 at a to 1 at b (falls, if b is below a).
func smoothstep(a, b, x float64) float64 {
	f := (x - a) / (b - a)
	if f <= 0 {
		return 0
	}
	if f >= 1 {
		return 1
	}
	return f * f * (3 - 2*f)
}

// gauss is exp(-q2), and 0 where that no longer matters.
func gauss(q2 float64) float64 {
	if q2 > 12 {
		return 0
	}
	return math.Exp(-q2)
}

func sign(x float64) float64 {
	if x < 0 {
		return -1
	}
	return 1
}
