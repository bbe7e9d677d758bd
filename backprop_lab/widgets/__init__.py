"""What a learner steps through and answers: the step-through, self-checks, paper exercises."""
