package sswe

import . "github.com/gomlx/gomlx/core/graph" //nolint:revive // formulas

// maskedL1 is the mean absolute error over the pixels that carry stiffness, in units of Config.RangeKPa; the scalar is
// 0 for an empty mask. All arguments are [batch, height, width, 1]; mask and saturated are 1 or 0.
//
// A saturated pixel is censored: the tissue is at least as stiff as the target, so only a prediction below it counts.
// Assumption: the papers are silent on loss and on missing pixels.
func maskedL1(prediction, target, mask, saturated *Node) *Node {
	difference := Sub(prediction, target)
	censored := Mul(saturated, Max(difference, ZerosLike(difference)))
	sum := ReduceAllSum(Mul(mask, Abs(Sub(difference, censored))))
	return Div(sum, MaxScalar(ReduceAllSum(mask), 1))
}
