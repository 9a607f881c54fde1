"""Pictures of the page: charts, the network's places, sparklines, and previews of media."""
