"""shoal's environments as other libraries have them, one module for each library.

`shoal.adaptors.pettingzoo`, `.gymnasium`, `.stable_baselines3`, `.torchrl` and `.rllib` import their library, this
package does not.
"""
