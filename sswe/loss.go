package sswe

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // formulas

	"elastography/data"
)

// What training may minimise: the values of Training.Loss. Every loss counts only pixels that carry stiffness, and none
// pushes a prediction further up at a saturated pixel, whose tissue is at least as stiff as the target. Assumption: the
// papers are silent; an empty value means L1.
const (
	L1       = "l1"       // mean absolute error: its best constant is the median, it under-calls what is rare
	L2       = "l2"       // mean squared error: its best constant is the mean
	Huber    = "huber"    // squared up to huberKPa, absolute beyond
	SSIM     = "ssim"     // absolute error and structural dissimilarity, mixed by ssimShare
	Balanced = "balanced" // absolute error, weighted against how common a stiffness is in training
	Laplace  = "laplace"  // likelihood of a Laplace distribution whose scale is the network's second output
)

// Losses lists the names that a configuration may ask for.
func Losses() []string { return []string{L1, L2, Huber, SSIM, Balanced, Laplace} }

// The losses' own numbers: assumptions, one and all.
const (
	huberKPa      = 3.0  // about the scanner's own noise in soft tissue
	ssimShare     = 0.2  // of the dissimilarity, the rest is absolute error (the mixture of Zhao et al., IEEE TCI 2017)
	balanceBinKPa = 5.0  // width of the stiffness bins
	balanceCap    = 10.0 // no pixel counts more than this many times one of average rarity
)

// objective is a loss as a graph: all arguments [batch, height, width, 1], prediction and target in units of
// Config.RangeKPa, mask and saturated 1 or 0; for Laplace the prediction has a second channel, the natural logarithm of
// its scale in that unit. The scalar is 0 for an empty mask.
type objective = func(prediction, target, mask, saturated *Node) *Node

// objective is the configuration's loss; a balanced one learns its weights from the training samples.
func (c Config) objective(training []*data.Sample) objective {
	switch c.Training.Loss {
	case L2:
		return maskedL2
	case Huber:
		return huber(huberKPa / c.RangeKPa)
	case SSIM:
		return ssimMixed
	case Balanced:
		return balanced(stiffnessWeights(training, c.RangeKPa), balanceBinKPa/c.RangeKPa)
	case Laplace:
		return func(prediction, target, mask, saturated *Node) *Node {
			return maskedLaplace(output(prediction, 0), output(prediction, 1), target, mask, saturated)
		}
	}
	return maskedL1
}

// checkLoss refuses a loss that is none.
func checkLoss(name string) error {
	if name != "" && !slices.Contains(Losses(), name) {
		return fmt.Errorf("training.loss is %q, expected one of %v", name, Losses())
	}
	return nil
}

// deviation is prediction minus target, 0 where a saturated pixel is predicted above its target: there is no error to be
// seen there, and no gradient flows.
func deviation(prediction, target, saturated *Node) *Node {
	difference := Sub(prediction, target)
	return Sub(difference, Mul(saturated, Max(difference, ZerosLike(difference))))
}

// maskedMean averages over the pixels of the mask.
func maskedMean(values, mask *Node) *Node {
	return Div(ReduceAllSum(Mul(mask, values)), MaxScalar(ReduceAllSum(mask), 1))
}

func maskedL1(prediction, target, mask, saturated *Node) *Node {
	return maskedMean(Abs(deviation(prediction, target, saturated)), mask)
}

func maskedL2(prediction, target, mask, saturated *Node) *Node {
	return maskedMean(Square(deviation(prediction, target, saturated)), mask)
}

// huber is d²/2δ up to δ and d - δ/2 beyond: the absolute error with a round corner, in its unit.
func huber(delta float64) objective {
	return func(prediction, target, mask, saturated *Node) *Node {
		d := Abs(deviation(prediction, target, saturated))
		corner := MinScalar(d, delta)
		return maskedMean(Mul(DivScalar(corner, delta), Sub(d, DivScalar(corner, 2))), mask)
	}
}

// balanced is the absolute error with a weight for each stiffness bin of the target.
func balanced(weights []float64, binWidth float64) objective {
	return func(prediction, target, mask, saturated *Node) *Node {
		weight := AddScalar(ZerosLike(target), weights[0])
		for k := 1; k < len(weights); k++ {
			reached := ConvertDType(GreaterOrEqual(target, Scalar(target.Graph(), target.DType(), float64(k)*binWidth)), target.DType())
			weight = Add(weight, MulScalar(reached, weights[k]-weights[k-1]))
		}
		return maskedMean(Mul(weight, Abs(deviation(prediction, target, saturated))), mask)
	}
}

// stiffnessWeights are inverse to how common each bin of balanceBinKPa is among the training pixels, capped, and 1 on
// average over these pixels, so that learning rates mean the same as with plain L1.
func stiffnessWeights(training []*data.Sample, rangeKPa float64) []float64 {
	counts := make([]float64, max(1, int(math.Ceil(rangeKPa/balanceBinKPa))))
	total := 0.0
	for _, s := range training {
		for i, valid := range s.Mask {
			if valid {
				counts[min(len(counts)-1, max(0, int(float64(s.TargetKPa[i])/balanceBinKPa)))]++
				total++
			}
		}
	}
	occupied := 0.0
	for _, n := range counts {
		occupied += min(1, n)
	}
	weights, mean := make([]float64, len(counts)), 0.0
	for k, n := range counts {
		weights[k] = min(balanceCap, total/(n*occupied)) // an empty bin gets the cap
		mean += weights[k] * n / total
	}
	for k := range weights {
		if weights[k] /= mean; total == 0 {
			weights[k] = 1
		}
	}
	return weights
}

// ssimMixed is (1-α) L1 + α (1 - SSIM). Its windows are metric.SSIM's: they see only valid pixels. A saturated pixel
// predicted above its target counts as equal to it.
func ssimMixed(prediction, target, mask, saturated *Node) *Node {
	x := Mul(mask, target)
	y := Mul(mask, Add(target, deviation(prediction, target, saturated)))
	batch := x.Shape().Dimensions[0]
	blurred := gaussianWindows(Concatenate([]*Node{mask, x, y, Mul(x, x), Mul(y, y), Mul(x, y)}, 0))
	part := func(k int) *Node { return Slice(blurred, AxisRange(k*batch, (k+1)*batch)) }
	weight := MaxScalar(part(0), 1e-6) // 0 only where no valid pixel is near
	mean := func(k int) *Node { return Div(part(k), weight) }
	mx, my := mean(1), mean(2)
	vx, vy, covariance := Sub(mean(3), Square(mx)), Sub(mean(4), Square(my)), Sub(mean(5), Mul(mx, my))
	const c1, c2 = 0.01 * 0.01, 0.03 * 0.03 // of a dynamic range of 1, as Wang et al., 2004
	above := Mul(AddScalar(MulScalar(Mul(mx, my), 2), c1), AddScalar(MulScalar(covariance, 2), c2))
	below := Mul(AddScalar(Add(Square(mx), Square(my)), c1), AddScalar(Add(vx, vy), c2))
	dissimilar := maskedMean(OneMinus(Div(above, below)), mask)
	return Add(MulScalar(maskedL1(prediction, target, mask, saturated), 1-ssimShare), MulScalar(dissimilar, ssimShare))
}

// gaussianWindows smooths each image by the window of metric.SSIM, rows, then columns; outside is zero.
func gaussianWindows(x *Node) *Node {
	const radius, sigma = 5, 1.5
	weights, sum := make([]float32, 2*radius+1), 0.0
	for k := range weights {
		w := math.Exp(-float64((k-radius)*(k-radius)) / (2 * sigma * sigma))
		weights[k] = float32(w)
		sum += w
	}
	for k := range weights {
		weights[k] /= float32(sum)
	}
	kernel := ConvertDType(Const(x.Graph(), weights), dtypes.Float32)
	x = Convolve(x, Reshape(kernel, len(weights), 1, 1, 1)).PadSame().Done()
	return Convolve(x, Reshape(kernel, 1, len(weights), 1, 1)).PadSame().Done()
}

// The natural logarithm of the scale that the heteroscedastic head may claim, in units of Config.RangeKPa: 0.06 kPa to
// the whole range. Without bounds a pixel learned by heart claims a scale of zero.
const logScaleLow, logScaleHigh = -7.0, 0.0

// startScaleKPa is the scale an untrained network claims: about the error of a trivial predictor.
const startScaleKPa = 6

func clampLogScale(s *Node) *Node { return MinScalar(MaxScalar(s, logScaleLow), logScaleHigh) }

// maskedLaplace is the negative log-likelihood, less its constant, of a Laplace distribution around prediction whose
// scale is exp(logScale): |d|/b + log b. At a saturated pixel it is that of "at least the target": |d|/b below, and
// nothing above, where the exact term is below log 2 and would only narrow the scale.
func maskedLaplace(prediction, logScale, target, mask, saturated *Node) *Node {
	s := clampLogScale(logScale)
	d := Abs(deviation(prediction, target, saturated))
	return maskedMean(Add(Mul(d, Exp(Neg(s))), Mul(OneMinus(saturated), s)), mask)
}
