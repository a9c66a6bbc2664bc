from .budgets import Budget as Budget
from .budgets import budget as budget
from .estimates import CostEstimate as CostEstimate
from .estimates import ProgramCost as ProgramCost
from .estimates import estimate_cost as estimate_cost
from .estimates import get_hugr_cost as get_hugr_cost
