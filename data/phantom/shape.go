package phantom

import (
	"math"
	"math/rand/v2"
)

// shape is a region in the gland: q is below 1 inside, 1 on its surface, and grows outward.
type shape interface {
	q(c *cut, st *site, x, z float64) float64
	// near tells whether elevation y can meet the region at all.
	near(y float64) bool
}

// blob is an irregular ellipsoid, or a crescent that follows the capsule.
type blob struct {
	x, y, z float64       // centre, mm
	axes    [3][3]float64 // rows: principal directions divided by the semi-axes, 1/mm
	semi    [3]float64    // semi-axes, mm
	rough   float64       // irregularity of the surface, relative
	waves   [7]wave

	// A crescent measures its thickness below the capsule instead of along its first axis.
	crescent     bool
	depth, thick float64
}

// wave is one plane wave of a surface's irregularity.
type wave struct{ kx, ky, kz, phase float64 }

// newBlob builds an ellipsoid around a centre with its first semi-axis along the normal.
func newBlob(rng *rand.Rand, centre, normal [3]float64, semi [3]float64, rough float64) blob {
	b := blob{x: centre[0], y: centre[1], z: centre[2], semi: semi, rough: rough}
	n := unit(normal)
	t1 := unit(cross(n, [3]float64{0.3 * rng.NormFloat64(), 1, 0.3 * rng.NormFloat64()}))
	t2 := cross(n, t1)
	for k, dir := range [3][3]float64{n, t1, t2} {
		for d := range dir {
			b.axes[k][d] = dir[d] / semi[k]
		}
	}
	mean := math.Cbrt(semi[0] * semi[1] * semi[2])
	for k := range b.waves {
		d := unit([3]float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()})
		f := (1.5 + 3.5*rng.Float64()) / mean
		b.waves[k] = wave{d[0] * f, d[1] * f, d[2] * f, 2 * math.Pi * rng.Float64()}
	}
	return b
}

// reach bounds the distance of the surface from the centre, mm.
func (b *blob) reach() float64 {
	return 1.5 * max(b.semi[0], max(b.semi[1], b.semi[2]))
}

func (b *blob) near(y float64) bool { return math.Abs(y-b.y) < b.reach() }

func (b *blob) q(c *cut, st *site, x, z float64) float64 {
	dx, dy, dz := x-b.x, c.y-b.y, z-b.z
	if d2, r := dx*dx+dy*dy+dz*dz, b.reach(); d2 > r*r {
		return math.Sqrt(d2) / r * 1.5
	}
	n := b.axes[0][0]*dx + b.axes[0][1]*dy + b.axes[0][2]*dz
	t1 := b.axes[1][0]*dx + b.axes[1][1]*dy + b.axes[1][2]*dz
	t2 := b.axes[2][0]*dx + b.axes[2][1]*dy + b.axes[2][2]*dz
	if b.crescent {
		n = (st.capsule - b.depth) / b.thick
	}
	q := math.Sqrt(n*n + t1*t1 + t2*t2)
	if b.rough == 0 || q > 2 {
		return q
	}
	sum := 0.0
	for _, w := range b.waves {
		sum += math.Cos(w.kx*dx + w.ky*dy + w.kz*dz + w.phase)
	}
	return q * (1 + b.rough*sum)
}

// wedge is a sector of the peripheral zone with its tip towards the urethra, the shape inflammation
// and atrophy take along the ducts.
type wedge struct {
	angle, halfAngle float64 // from the posterior direction, radians
	y, halfY         float64
	inner            float64 // share of the PZ depth it leaves free at the tip
}

func (w *wedge) near(y float64) bool { return math.Abs(y-w.y) < 1.4*w.halfY }

func (w *wedge) q(c *cut, st *site, x, z float64) float64 {
	if st.tz > 0.5 || st.capsule < -1 {
		return 3
	}
	a := math.Abs(math.Remainder(math.Atan2(x-c.urethraX, c.urZ-z)-w.angle, 2*math.Pi)) / w.halfAngle
	e := (c.y - w.y) / w.halfY
	d := st.capsule / ((1 - w.inner) * c.pzThickness)
	q := math.Sqrt(a*a + e*e)
	return max(q, d)
}

// ball is a sphere: a stone, a cyst or a vessel's cross-section.
type ball struct{ x, y, z, r float64 }

// depth is the signed depth inside it in the cut at y, mm.
func (b ball) depth(x, y, z float64) float64 {
	dx, dy, dz := x-b.x, y-b.y, z-b.z
	return b.r - math.Sqrt(dx*dx+dy*dy+dz*dz)
}

func unit(v [3]float64) [3]float64 {
	n := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
	if n == 0 {
		return [3]float64{0, 0, 1}
	}
	return [3]float64{v[0] / n, v[1] / n, v[2] / n}
}

func cross(a, b [3]float64) [3]float64 {
	return [3]float64{a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]}
}

// inward is the unit direction in which the depth below the capsule grows.
func (a *anatomy) inward(x, y, z float64) [3]float64 {
	const h = 0.5
	depth := func(x, y, z float64) float64 {
		c := a.cut(y)
		return c.locate(x, z).capsule
	}
	return unit([3]float64{
		depth(x+h, y, z) - depth(x-h, y, z),
		depth(x, y+h, z) - depth(x, y-h, z),
		depth(x, y, z+h) - depth(x, y, z-h),
	})
}
